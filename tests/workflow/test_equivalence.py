"""A sample of what `make bench` does for every page and lab: forked and plain kernels agree."""

from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

from grader.course import Course
from tests.workflow.equivalence import differences, lab_notebook, page_notebook, pages

CELLS = [
    "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\nimport torch",
    "pd.DataFrame(np.random.default_rng(1).random((3, 2)), columns=['a', 'b'])",
    "plt.plot([1, 2, 3]);",
    "torch.manual_seed(0)\nprint(torch.nn.Linear(2, 1)(torch.ones(2)).item())",
    "import os\nos.environ.get('OMP_NUM_THREADS'), os.getcwd() != '/', __name__",
    "!echo from a shell",
    "from multiprocessing import get_context\nwith get_context('fork').Pool(1) as pool:\n"
    "    print(pool.map(abs, [-1]))",
]


def test_a_notebook(tmp_path: Path) -> None:
    assert differences(new_notebook(cells=[new_code_cell(code) for code in CELLS]), tmp_path) == []


def test_a_difference_is_seen(tmp_path: Path) -> None:
    cells = [new_code_cell("import os\nprint(os.environ.get('GRADER_TEMPLATE') is None)")]
    assert differences(new_notebook(cells=cells), tmp_path) != []
    cells[0].metadata["tags"] = ["varies"]
    assert differences(new_notebook(cells=cells), tmp_path) == []


def test_a_lab(mini: Course) -> None:
    assert differences(*lab_notebook(mini, "mini-mean")) == []


def test_a_page() -> None:
    page = next(pages())
    assert differences(page_notebook(page), page.parent) == []
