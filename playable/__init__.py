"""Figures of the book that a reader can play with, computed ahead. See `figure`."""

from playable.page import Slider, figure

__all__ = ["Slider", "figure"]
