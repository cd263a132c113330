"""Pages for a browser: one HTML file each, which needs nothing beside itself and no network."""

from kmaskrcnn.pages.figures import COLORS, INK, figure, new_figure
from kmaskrcnn.pages.pictures import picture
from kmaskrcnn.pages.rendering import render

__all__ = ["COLORS", "INK", "figure", "new_figure", "picture", "render"]
