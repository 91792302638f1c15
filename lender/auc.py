"""The AUC with its standard error where the rows of a day, or of any cluster, belong together."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]


def influence(defaulted: npt.ArrayLike, score: npt.ArrayLike) -> tuple[float, Floats]:
    """AUC of n scores (higher is riskier), and by how much each row moves it.

    defaulted: n zeros and ones. The n influences add up to zero. A row's is its share of the
    other class that it is ranked on the right side of, ties counting half, less the AUC, divided
    by the size of its own class (the structural components of DeLong, DeLong and Clarke-Pearson,
    Biometrics 44, 1988). Raises ValueError unless both classes are there.
    """
    bad = np.asarray(defaulted) == 1
    values = np.asarray(score, dtype=np.float64)
    positives, negatives = int(bad.sum()), int((~bad).sum())
    if not positives or not negatives:
        raise ValueError("an AUC needs a row that defaulted and a row that did not")
    rank = rankdata(values)
    right = np.empty(len(values))
    right[bad] = (rank[bad] - rankdata(values[bad])) / negatives
    right[~bad] = 1 - (rank[~bad] - rankdata(values[~bad])) / positives
    auc = float(right[bad].mean())
    return auc, (right - auc) / np.where(bad, positives, negatives)


def error(influences: Floats, cluster: npt.ArrayLike) -> float:
    """Standard error from n influences, or from the difference of two models' on the same rows.

    cluster: n labels; rows with the same label may depend on each other, others do not.
    """
    _, code = np.unique(np.asarray(cluster), return_inverse=True)
    sums = np.bincount(code, weights=influences)
    return float(np.sqrt(np.sum(sums**2)))
