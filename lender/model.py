"""The credit score that pages and labs start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lender.simulate import CATEGORICAL, NUMERIC

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline


def score_model(seed: int = 0) -> Pipeline:
    """Unfitted gradient-boosted trees on `FEATURES`; `predict_proba(frame)[:, 1]` is the score.

    Missing values need no filling: the trees send them down a branch of their own.
    """
    # Imported here so that `import lender` stays light.
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer(
        [("codes", codes, list(CATEGORICAL)), ("numbers", "passthrough", list(NUMERIC))]
    )
    trees = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.08,
        max_leaf_nodes=8,
        min_samples_leaf=50,
        categorical_features=list(range(len(CATEGORICAL))),
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def encoder(*more: str) -> ColumnTransformer:
    """Unfitted encoder of `FEATURES` for models that learn by gradient: linear ones, networks.

    `transform(frame)` gives one row of numbers an application: log(1 + x) of what is numeric,
    with gaps filled by the median and flagged, standardized; categories, and the columns named
    in `more`, one column a level. A level that it was not fitted on becomes zeros.
    """
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        FunctionTransformer(np.log1p),
        StandardScaler(),
    )
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((numbers, list(NUMERIC)), (levels, [*CATEGORICAL, *more]))
