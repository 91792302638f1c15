"""Attach to a page's figure what it looks like at every position of its sliders."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from IPython.display import HTML
from matplotlib.figure import Figure

from playable.artists import Json, drawn, numbers, panel, remove_new, traces

LIMIT_KB = 60  # of one figure's data, gzipped


class Slider(NamedTuple):
    """label: what it moves; values: its positions, two or more, in order; start: the position of
    the static figure; text: format of a position as it is read out, with its unit."""

    label: str
    values: Sequence[float]
    start: float
    text: str = "{:,g}"


def figure(fig: Figure, draw: Callable[..., str], **sliders: Slider) -> HTML:
    """Leave fig at `start`, and return what lets a reader move the sliders: a cell of its own.

    draw takes one value of each slider by its name, draws on the axes of fig, and returns in words
    what is to be seen. It is called for every combination of values. What it draws moves; what is
    on the axes already stays, as do titles, labels and limits (left free, they hold every frame).
    Only lines, markers, bars and filled bands in the style's cycle of colors (C0, C1, ...) can be
    drawn in both themes. A panel with labels gets a legend.

    The page shows fig like any other figure; the cell after it, with the tag `remove-input`, holds
    the returned value alone. Without a script, or on paper, the figure is all there is.

    Raises ValueError for what cannot be played with, naming it.
    """
    html = script(compute(fig, draw, sliders))
    kb = len(gzip.compress(html.encode())) / 1000
    if kb > LIMIT_KB:
        raise ValueError(
            f"the figure's data take {kb:.0f} kB gzipped, at most {LIMIT_KB} are allowed: "
            f"give the sliders fewer values, or the lines fewer points"
        )
    return HTML(html)


def compute(fig: Figure, draw: Callable[..., str], sliders: Mapping[str, Slider]) -> Json:
    """Every frame of the figure; equal traces and equal lists of numbers are kept once.

    Frames are in the order of `itertools.product` over the sliders' values. fig is left at start.
    """
    described = {name: _described(slider) for name, slider in sliders.items()}
    kept = [drawn(ax) for ax in fig.axes]
    lists: dict[str, int] = {}
    looks: dict[str, int] = {}

    def draw_at(values: Sequence[float]) -> str:
        for ax, artists in zip(fig.axes, kept, strict=True):
            remove_new(ax, artists)
        return draw(**dict(zip(sliders, values, strict=True)))

    def place(trace: Json) -> int:
        packed = {k: _once(lists, v) if k in "xy" and v else v for k, v in trace.items()}
        return _once(looks, packed)

    frames = []
    for values in product(*(slider.values for slider in sliders.values())):
        says = draw_at(values)
        frames.append({"says": says, "panels": [[*map(place, traces(ax))] for ax in fig.axes]})
    draw_at([slider.start for slider in sliders.values()])
    for ax in fig.axes:
        if ax.get_legend_handles_labels()[1]:
            ax.legend()
    return {
        "sliders": list(described.values()),
        "panels": [panel(ax) for ax in fig.axes],
        "lists": [json.loads(text) for text in lists],
        "traces": [json.loads(text) for text in looks],
        "frames": frames,
    }


def script(data: Json) -> str:
    """The data as an element that a page carries unseen; the same data give the same text."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign in "<>&":  # neither the end of a script nor an entity, in HTML and XHTML alike
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" class="playable">{text}</script>'


def _described(slider: Slider) -> Json:
    values = list(slider.values)
    if len(values) < 2 or slider.start not in values:
        raise ValueError(
            f"slider {slider.label!r} needs two or more values, and starts at one of them: "
            f"{slider.start} is not among {values}"
        )
    return {
        "label": slider.label,
        "values": numbers(values),
        "texts": [slider.text.format(value) for value in values],
        "start": values.index(slider.start),
    }


def _once(shelf: dict[str, int], item: object) -> int:
    """Place of the item on the shelf, put there if it is new."""
    return shelf.setdefault(json.dumps(item, separators=(",", ":")), len(shelf))
