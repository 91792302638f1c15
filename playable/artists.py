"""Read what matplotlib drew, as plain data that another library can draw again."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

Json = dict[str, Any]
DIGITS = 5  # significant ones: finer than a pixel of a figure
DASHES = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot", "None": ""}
MARKERS = {"o": "circle", ".": "circle", "s": "square", "^": "triangle-up", "D": "diamond"}


def panel(ax: Axes) -> Json:
    """Title, labels, scales, limits and ticks of one axes."""
    return {"title": ax.get_title("left"), "x": _axis(ax.xaxis), "y": _axis(ax.yaxis)}


def drawn(ax: Axes) -> list[Artist]:
    """What was drawn on an axes so far."""
    return [*ax.collections, *ax.patches, *ax.lines, *ax.texts]


def remove_new(ax: Axes, kept: list[Artist]) -> None:
    """Remove what was drawn on an axes since `kept` was; its data limits stay."""
    for container in list(ax.containers):
        if any(part not in kept for part in container):
            container.remove()
    for artist in drawn(ax):
        if artist not in kept:
            artist.remove()
    ax.set_prop_cycle(None)


def traces(ax: Axes) -> list[Json]:
    """Bands and bars first, then lines, as one trace for each that can be told apart.

    A trace has x and y (None: the axis from end to end; None within: a gap), the color's place in
    the style's cycle, and how it is drawn. Raises ValueError for what it cannot read.
    """
    other = [*ax.texts, *ax.images, *ax.tables, *ax.artists]
    bands = [artist for artist in ax.collections if isinstance(artist, PolyCollection)]
    if other or len(bands) < len(ax.collections):
        odd = next(a for a in [*other, *ax.collections] if not isinstance(a, PolyCollection))
        raise ValueError(
            f"a figure to play with holds lines, bars and filled bands, not a "
            f"{type(odd).__name__}: leave it out, or draw it as one of these"
        )
    bars = groupby(ax.patches, lambda patch: to_hex(patch.get_facecolor()))
    return [
        *map(_band, bands),
        *(_bars(ax, list(alike)) for _, alike in bars),
        *(_line(ax, line) for line in ax.lines),
    ]


def numbers(values: Iterable[float]) -> list[float | int | None]:
    """Rounded to `DIGITS` significant digits; whole ones as int, what is not finite as None."""
    rounded = (float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values)
    return [int(v) if v is not None and v == int(v) else v for v in rounded]


def _axis(axis: Axis) -> Json:
    ends = axis.get_view_interval()
    out = {
        "label": axis.get_label_text(),
        "scale": axis.get_scale(),
        "range": numbers(np.log10(ends) if axis.get_scale() == "log" else ends),
    }
    if isinstance(axis.get_major_locator(), FixedLocator):
        places = axis.get_majorticklocs()
        out["ticks"] = numbers(places)
        out["names"] = axis.get_major_formatter().format_ticks(list(places))
    return out


def _line(ax: Axes, line: Line2D) -> Json:
    in_x, in_y = line.get_transform().contains_branch_seperately(ax.transData)
    marker, dash = str(line.get_marker()), str(line.get_linestyle())
    out = _look(line, line.get_color(), line.get_alpha())
    out |= {"dash": _known(dash, DASHES), "width": line.get_linewidth()}
    if marker not in ("None", "", " "):
        out |= {"marker": _known(marker, MARKERS), "size": line.get_markersize()}
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    return out | {"x": numbers(x) if in_x else None, "y": numbers(y) if in_y else None}


def _bars(ax: Axes, patches: list[Patch]) -> Json:
    if any(patch.get_data_transform() is not ax.transData for patch in patches):
        raise ValueError("a span over a whole axis cannot be played with: use fill_between")
    paths = [p.get_path().transformed(p.get_patch_transform()).vertices for p in patches]
    # Rectangles of one call share the label of their container.
    named = [c for c in ax.containers if patches[0] in c] or patches
    return _filled(paths, _look(named[0], patches[0].get_facecolor(), patches[0].get_alpha()))


def _band(band: PolyCollection) -> Json:
    look = _look(band, band.get_facecolor()[0], band.get_alpha())
    return _filled([path.vertices for path in band.get_paths()], look)


def _filled(outlines: list[Any], look: Json) -> Json:
    """Closed outlines as one trace, a gap between two."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for outline in outlines for part in (outline, gap)])[:-1]
    return look | {"fill": True, "x": numbers(points[:, 0]), "y": numbers(points[:, 1])}


def _look(artist: Any, color: Any, alpha: float | None) -> Json:
    label = str(artist.get_label())
    out: Json = {"color": _known(to_hex(color), _cycle())}
    if not label.startswith("_"):
        out["name"] = label
    return out | ({"alpha": alpha} if alpha is not None else {})


def _cycle() -> dict[str, int]:
    colors = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return {to_hex(color): place for place, color in enumerate(colors)}


def _known(key: str, table: dict[str, Any]) -> Any:
    if key not in table:
        raise ValueError(f"{key!r} cannot be drawn in both themes: use one of {', '.join(table)}")
    return table[key]
