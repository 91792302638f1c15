"""Figures to play with: what matplotlib drew comes back as data, for every position."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import playable
from playable.artists import numbers, traces
from playable.page import compute, script

ROOT = Path(__file__).parent.parent.parent
SLIDERS = {
    "slope": playable.Slider("Slope", [1, 2, 30], 2, "{} m per s"),
    "n": playable.Slider("Points", [2, 3], 3),
}


@pytest.fixture
def fig() -> Any:
    with plt.style.context("lender.course"):
        fig, (left, right) = plt.subplots(1, 2)
        left.axhline(1, color="C6", linestyle="--")
        left.set(xlabel="time (s)", title="Way")
        right.set(xscale="log", xlim=(1, 100), ylim=(0, 3))
        right.set_xticks([1, 10, 100], ["one", "ten", "many"])
        yield fig
        plt.close(fig)


def drawer(fig: Figure) -> Any:
    left, right = fig.axes

    def draw(slope: float, n: int) -> str:
        left.plot(np.arange(n), slope * np.arange(n), "o-", label="way")
        right.stairs([1, 2], [1, 10, 100], fill=True, color="C1", alpha=0.5)
        right.bar([2, 20], [1, n], color="C2", label="bars")
        return f"slope {slope}, {n} points"

    return draw


def test_there_is_a_frame_for_every_combination_in_order(fig: Figure) -> None:
    data = compute(fig, drawer(fig), SLIDERS)
    assert [frame["says"] for frame in data["frames"]] == [
        f"slope {slope}, {n} points" for slope in (1, 2, 30) for n in (2, 3)
    ]
    assert data["sliders"][0]["texts"] == ["1 m per s", "2 m per s", "30 m per s"]
    assert data["sliders"][1] == {
        "label": "Points",
        "values": [2, 3],
        "texts": ["2", "3"],
        "start": 1,
    }


def test_a_frame_holds_what_was_drawn(fig: Figure) -> None:
    data = compute(fig, drawer(fig), SLIDERS)
    left, right = data["frames"][5]["panels"]
    limit, way = (data["traces"][place] for place in left)
    assert limit["x"] is None
    assert (limit["dash"], limit["color"]) == ("dash", 6)
    assert data["lists"][way["x"]] == [0, 1, 2]
    assert data["lists"][way["y"]] == [0, 30, 60]
    assert (way["name"], way["marker"], way["color"]) == ("way", "circle", 0)
    steps, bars = (data["traces"][place] for place in right)
    assert (steps["fill"], steps["alpha"], steps["color"]) == (True, 0.5, 1)
    assert (bars["name"], bars["color"]) == ("bars", 2)
    assert max(y for y in data["lists"][bars["y"]] if y is not None) == 3
    assert data["lists"][bars["x"]].count(None) == 1, "a gap between two bars"


def test_what_does_not_move_is_kept_once(fig: Figure) -> None:
    data = compute(fig, drawer(fig), SLIDERS)
    firsts = {frame["panels"][0][0] for frame in data["frames"]}
    assert len(firsts) == 1
    assert len(data["traces"]) == len({json.dumps(trace) for trace in data["traces"]})
    assert len(data["lists"]) == len({json.dumps(numbers) for numbers in data["lists"]})


def test_panels_have_labels_scales_ticks_and_limits_for_all_frames(fig: Figure) -> None:
    left, right = compute(fig, drawer(fig), SLIDERS)["panels"]
    assert (left["title"], left["x"]["label"]) == ("Way", "time (s)")
    assert left["y"]["range"][1] > 60, "the largest frame fits"
    assert right["x"]["scale"] == "log"
    assert right["x"]["range"] == [0, 2]
    assert (right["x"]["ticks"], right["x"]["names"]) == ([1, 10, 100], ["one", "ten", "many"])


def test_the_figure_is_left_at_its_start(fig: Figure) -> None:
    compute(fig, drawer(fig), SLIDERS)
    way = fig.axes[0].lines[1]
    assert list(way.get_ydata()) == [0, 2, 4]
    assert len(fig.axes[1].patches) == 3
    assert [text.get_text() for text in fig.axes[0].get_legend().get_texts()] == ["way"]
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["bars"]


def test_the_same_figure_gives_the_same_text() -> None:
    texts = []
    for _ in range(2):
        with plt.style.context("lender.course"):
            fig, _axes = plt.subplots(1, 2)
            texts.append(playable.figure(fig, drawer(fig), **SLIDERS).data)
            plt.close(fig)
    assert texts[0] == texts[1]
    assert " at 0x" not in texts[0]


def test_the_data_cannot_end_their_element() -> None:
    html = script({"says": "</script><b>&amp;"})
    inside = html.removeprefix('<script type="application/json" class="playable">')
    inside = inside.removesuffix("</script>")
    assert not set("<>&") & set(inside)
    assert json.loads(inside) == {"says": "</script><b>&amp;"}


def test_numbers_are_rounded_and_gaps_are_none() -> None:
    assert numbers([1 / 3, 20.0, 123456.7, np.nan, np.inf]) == [0.33333, 20, 123460, None, None]


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda ax: ax.text(0, 0, "here"), "not a Text"),
        (lambda ax: ax.errorbar([1], [1], [1]), "not a LineCollection"),
        (lambda ax: ax.plot([1, 2], color="#123456"), "'#123456' cannot be drawn in both themes"),
        (lambda ax: ax.plot([1, 2], "x"), "'x' cannot be drawn"),
        (lambda ax: ax.axhspan(0, 1, color="C0"), "use fill_between"),
    ],
)
def test_what_cannot_be_drawn_again_is_named(fig: Figure, draw: Any, said: str) -> None:
    draw(fig.axes[0])
    with pytest.raises(ValueError, match=re.escape(said)):
        traces(fig.axes[0])


@pytest.mark.parametrize(
    "slider", [playable.Slider("One", [1], 1), playable.Slider("No", [1, 2], 3)]
)
def test_a_slider_starts_at_one_of_its_values(fig: Figure, slider: playable.Slider) -> None:
    with pytest.raises(ValueError, match=f"slider '{slider.label}' needs two or more values"):
        playable.figure(fig, lambda x: "", x=slider)


def test_too_many_data_are_refused(fig: Figure) -> None:
    def draw(x: float) -> str:
        fig.axes[0].plot(np.random.default_rng(int(x)).random(2000))
        return "noise"

    with pytest.raises(ValueError, match=r"take \d+ kB gzipped, at most 60 are allowed"):
        playable.figure(fig, draw, x=playable.Slider("x", range(20), 1))


def test_the_page_has_the_colors_of_the_style() -> None:
    css = (ROOT / "_static" / "playable.css").read_text(encoding="utf-8")
    light, dark = css.split('html[data-theme="dark"]')
    with plt.style.context("lender.course"):
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    colors = [color.lower().removeprefix("#") for color in cycle]
    pattern = r"--playable-color-(\d): #([0-9a-f]{6});"
    assert [color for _, color in re.findall(pattern, light)] == colors
    assert len(re.findall(pattern, dark)) == len(colors)
