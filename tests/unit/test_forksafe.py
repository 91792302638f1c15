"""Every library on the list works on in a fork of a kernel that was in the middle of using it."""

import time
from collections.abc import Iterator

import pytest

from grader.engine.control import Cell, in_copy
from grader.engine.forksafe import FORK_SAFE, unsafe_imports
from grader.engine.launch import Template, running_template, start_kernel, stop_kernel
from grader.engine.limits import Limits
from grader.engine.protocol import connected, run_cell

NO_CODE_OF_THEIR_OWN = {"IPython", "grader", "nbgrader"}
DATA = """
import numpy as np
rng = np.random.default_rng(0)
x = rng.random((500, 4))
y = x[:, 0] > 0.5
"""
FRAME = f"""{DATA}
import pandas as pd
frame = pd.DataFrame(x, columns=list("abcd")).assign(y=y)
"""
# What is done before the fork, and once more in it; the value must be true.
WORK = {
    "numpy": f"{DATA}np.linalg.svd(x @ x.T)[1].sum() > 0",
    "scipy": f"""{DATA}
from scipy import linalg, stats
stats.ks_2samp(x[:, 0], linalg.inv(x[:4])[0]).pvalue >= 0
""",
    "pandas": f"{FRAME}frame.groupby('y')['a'].rolling(7).mean().notna().any()",
    "pyarrow": f"""{FRAME}
import io
buffer = io.BytesIO()
frame.to_parquet(buffer)
len(pd.read_parquet(buffer)) == 500
""",
    "matplotlib": """
import io
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 2])
buffer = io.BytesIO()
figure.savefig(buffer)
plt.close()
len(buffer.getvalue()) > 1000
""",
    "sklearn": f"""{DATA}
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.neighbors import NearestNeighbors
NearestNeighbors().fit(x).kneighbors(x)
RandomForestClassifier(20, n_jobs=2).fit(x, y)
HistGradientBoostingClassifier(max_iter=20).fit(x, y).score(x, y) > 0.9
""",
    "torch": """
import torch
net = torch.nn.Sequential(torch.nn.Linear(9, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
step = torch.optim.Adam(net.parameters())
net(torch.ones(256, 9)).square().mean().backward()
step.step()
len(list(torch.utils.data.DataLoader(torch.arange(9.0), num_workers=1))) == 9
""",
    "statsmodels": f"""{DATA}
import statsmodels.api as sm
sm.Logit(y, x + rng.normal(size=x.shape)).fit(disp=0).params.size == 4
""",
    "joblib": """
import joblib
joblib.Parallel(2, prefer="threads")(joblib.delayed(abs)(n) for n in (-1, 2)) == [1, 2]
""",
    "cryptography": """
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
box = AESGCM(AESGCM.generate_key(256))
box.decrypt(bytes(12), box.encrypt(bytes(12), b"here", None), None) == b"here"
""",
    "shap": f"""{DATA}
import shap
from sklearn.tree import DecisionTreeClassifier
tree = DecisionTreeClassifier(max_depth=2).fit(x, y)
shap.TreeExplainer(tree).shap_values(x[:5]).shape[0] == 5
""",
    "fairlearn": f"""{DATA}
from fairlearn.metrics import demographic_parity_difference
demographic_parity_difference(y, y, sensitive_features=x[:, 1] > 0.5) >= 0
""",
    "evidently": f"""{FRAME}
import evidently
from evidently.metrics import ValueDrift
evidently.Report([ValueDrift(column="a")]).run(frame[["a"]], frame[["a"]]) is not None
""",
    "kfp": """
import tempfile
from kfp import compiler, dsl, local

@dsl.component(base_image="python", install_kfp_package=False)
def double(n: int) -> int:
    return 2 * n

folder = tempfile.mkdtemp()
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=folder)
compiler.Compiler().compile(double, f"{folder}/double.yaml")
double(n=4).output == 8
""",
    "yaml": "import yaml\nyaml.safe_load('a: [1, 2]') == {'a': [1, 2]}",
    "lender": "import lender\nlen(lender.applications(2000, seed=1)) == 2000",
}


def test_the_list_is_what_is_tried_here() -> None:
    assert set(WORK) | NO_CODE_OF_THEIR_OWN == FORK_SAFE


def test_other_libraries_are_named() -> None:
    assert unsafe_imports(["import numpy, polars\nimport os", "from lightgbm import train"]) == [
        "lightgbm",
        "polars",
    ]


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with running_template(["pandas", "torch", "sklearn.ensemble"], sandboxed=False) as template:
        yield template


@pytest.mark.parametrize("library", WORK)
def test_a_fork_in_the_middle_of_its_work_goes_on(template: Template, library: str) -> None:
    limits = Limits(cell_s=60)
    kernel = start_kernel(template, limits)
    try:
        with connected(kernel, limits, time.monotonic() + 200, lambda: "") as client:
            for _ in range(2):  # again: pools and caches stand by then
                before = run_cell(client, WORK[library])
                assert before.status == "ok", before.evalue
            said = in_copy(client, [Cell("1"), Cell(WORK[library])], ["1"])
            assert [each.status for each in said] == ["ok", "ok"], said
            assert said[1].values in (["True"], ["np.True_"]), said
            assert run_cell(client, WORK[library]).status == "ok"
    finally:
        stop_kernel(template, kernel)
