"""How a page's kernel hands over its figures: as SVG, sharp, and a fifth of a PNG's weight.

A kernel reads this from IPython's folder, so that no page has to say it.
"""

from pathlib import Path

CONFIG = """c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
"""


def kernel_environment(root: Path) -> dict[str, str]:
    """The environment for kernels that execute the pages of the book in `root`."""
    folder = root / "_build" / "ipython"
    config = folder / "profile_default" / "ipython_kernel_config.py"
    config.parent.mkdir(parents=True, exist_ok=True)
    if not config.exists() or config.read_text(encoding="utf-8") != CONFIG:
        config.write_text(CONFIG, encoding="utf-8")
    return {"IPYTHONDIR": str(folder)}
