"""Can the text in a figure be read? Judged from its pixels, as the page shows them.

In an SVG each text's box is known, and the ink in it must stand out from what is behind it. In a
raster picture the texts' places are not known: the whole picture, and its left and bottom margins,
where an axis has its numbers and its name, are judged by their strongest ink. These go unnoticed:
a weak label that a strong line crosses, one in the middle of a raster chart, and one in its margin
that is as faint as a grid line.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ENOUGH = 4.5  # WCAG 2.2, criterion 1.4.3, for text of a figure's size
FAINT = 1.6  # grid lines and edges may be as weak as that: they are no text
INK_PIXELS = 4  # so many pixels are no accident of smoothing
MARGIN = 0.12  # of a raster picture's width and height
AROUND = 3  # pixels around a text, so that most of its box is what is behind it


def unreadable(screenshot: bytes, texts: list[dict[str, Any]]) -> list[str]:
    """Complaints about a figure's screenshot; `texts` have a box each, as fractions of it."""
    pixels = np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB"))
    if texts:
        ratios = {f"the text '{text['text']}'": contrast(box(pixels, text)) for text in texts}
        return complaints({name: ratio for name, ratio in ratios.items() if ratio < ENOUGH})
    height, width = pixels.shape[:2]
    whole = {"its strongest ink": contrast(pixels)}
    margins = {
        "the left margin": contrast(pixels[:, : round(MARGIN * width)]),
        "the bottom margin": contrast(pixels[round((1 - MARGIN) * height) :]),
    }
    weak = {name: ratio for name, ratio in whole.items() if ratio < ENOUGH}
    weak |= {name: ratio for name, ratio in margins.items() if FAINT < ratio < ENOUGH}
    return complaints(weak)


def complaints(ratios: dict[str, float]) -> list[str]:
    return [f"{name} has a contrast of {ratio:.1f} of {ENOUGH}" for name, ratio in ratios.items()]


def box(pixels: NDArray[np.uint8], text: dict[str, Any]) -> NDArray[np.uint8]:
    """The pixels of a text and a little around it."""
    height, width = pixels.shape[:2]
    left, right = round(text["left"] * width) - AROUND, round(text["right"] * width) + AROUND
    top, bottom = round(text["top"] * height) - AROUND, round(text["bottom"] * height) + AROUND
    return pixels[max(0, top) : bottom, max(0, left) : right]


def contrast(pixels: NDArray[np.uint8]) -> float:
    """WCAG's ratio between the commonest color and the one that stands out most from it."""
    numbers = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colors, counts = np.unique(numbers, return_counts=True)
    light = luminance(colors)
    behind = light[counts.argmax()]
    ratios = (np.maximum(light, behind) + 0.05) / (np.minimum(light, behind) + 0.05)
    order = np.argsort(-ratios)
    enough = np.searchsorted(np.cumsum(counts[order]), INK_PIXELS)
    return float(ratios[order][min(enough, len(order) - 1)])


def luminance(colors: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Relative luminance of sRGB colors (0xRRGGBB), as WCAG defines it."""
    part = np.stack([colors >> 16, (colors >> 8) & 255, colors & 255], axis=-1) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    weighted: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighted
