"""The measured nights run the page's own cells, each tool's to its first start."""

from pathlib import Path

import pytest

from tools import measure_tools

TEXT = measure_tools.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", measure_tools.FIRST_CELL)
def test_a_program_is_the_tool_s_cells_and_one_start(tool: str) -> None:
    code = measure_tools.program(TEXT, tool)
    compile(code, "night.py", "exec")
    assert code.startswith(measure_tools.FIRST_CELL[tool])
    assert code.rstrip().endswith(")()")
    assert "examine" not in code and "break_step" not in code


def test_a_page_that_has_changed_is_refused() -> None:
    with pytest.raises(ValueError, match="DVC"):
        measure_tools.program(TEXT.replace('calls["DVC"]', 'seen["DVC"]'), "DVC")


def test_metrics_are_looked_for_everywhere_but_where_they_were_put(tmp_path: Path) -> None:
    (tmp_path / "undisturbed").mkdir()
    (tmp_path / "undisturbed" / "metrics.json").write_bytes(b"1")
    assert not measure_tools.left(tmp_path, b"1")
    (tmp_path / "kfp").mkdir()
    (tmp_path / "kfp" / "out").write_bytes(b"1")
    assert measure_tools.left(tmp_path, b"1")
