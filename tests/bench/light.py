"""A class that hands in a light notebook: a plain nbgrader course, no bank."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.course import Course, nbgrader_api

NAME = "light"
CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'light'\n"
IMPORTS = "import numpy as np\nimport pandas as pd\nimport torch\nfrom sklearn import linear_model"
ANSWER = """def fit(frame):
    ### BEGIN SOLUTION
    return linear_model.LinearRegression().fit(frame[["x"]], frame["y"]).coef_[0]
    ### END SOLUTION"""
TEST = """frame = pd.DataFrame({"x": np.arange(9.0), "y": 2 * np.arange(9.0)})
assert abs(fit(frame) - 2) < 1e-9, "the slope of y = 2 x is 2"
### BEGIN HIDDEN TESTS
assert abs(fit(frame.assign(y=-frame["x"])) + 1) < 1e-9
### END HIDDEN TESTS"""
TENSOR = """def total(values):
    ### BEGIN SOLUTION
    return torch.tensor(values).sum().item()
    ### END SOLUTION"""
WORK = """import time
end = time.process_time() + {seconds}
while time.process_time() < end:
    pass"""


def _cell(source: str, grade_id: str, points: int = 0, solution: bool = False) -> Any:
    flags = {"grade": bool(points), "solution": solution, "locked": not solution, "task": False}
    meta = {"grade_id": grade_id, "schema_version": 3, **flags}
    if points:
        meta["points"] = points
    return new_code_cell(source, id=grade_id, metadata={"nbgrader": meta})


def light_course(root: Path, students: int, seconds: float = 0.0) -> Course:
    """A course in `root` with so many right submissions, each with this much work of its own."""
    cells = [
        new_markdown_cell("# Light", id="title"),
        _cell(IMPORTS, "imports"),
        _cell(ANSWER, "fit", solution=True),
        _cell(TEST, "fit-test", points=2),
        _cell(TENSOR, "total", solution=True),
        _cell("assert total([1.0, 2.0]) == 3.0", "total-test", points=1),
    ]
    if seconds:
        cells.insert(2, _cell(WORK.format(seconds=seconds), "work"))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    source = root / "source" / NAME
    source.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    nbformat.write(notebook, source / f"{NAME}.ipynb")
    course = Course(root)
    assert nbgrader_api(course).generate_assignment(NAME, create=True)["success"]
    for number in range(students):
        folder = root / "submitted" / f"s{number:05}" / NAME
        folder.mkdir(parents=True)
        shutil.copyfile(source / f"{NAME}.ipynb", folder / f"{NAME}.ipynb")
    return course
