"""The CSV is quoted and no cell is a formula."""

import csv
from pathlib import Path

from grader.export import COLUMNS, safe, write_csv


def test_formulas_are_defused() -> None:
    assert safe("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert safe("-2+3") == "'-2+3"
    assert safe(-2.0) == -2.0
    assert safe("ada") == "ada"


def test_commas_and_quotes_survive(tmp_path: Path) -> None:
    row = dict.fromkeys(COLUMNS, "") | {"last_name": 'Love"lace, A', "score": 1.5}
    write_csv([row], tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["last_name"] == 'Love"lace, A'
    assert [path.name for path in tmp_path.iterdir()] == ["grades.csv"]
