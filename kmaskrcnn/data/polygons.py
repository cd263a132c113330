"""Polygons as masks: a pixel belongs to them when most of it is covered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.data.coverage import fill, pixels_around, window_of
from kmaskrcnn.data.rle import Window


def rasterise(polygons: Sequence[np.ndarray], size: tuple[int, int]) -> tuple[Window, np.ndarray]:
    """The union of polygons in an image, as its tight window and the bool crop (h, w) in it.

    Args:
        polygons: (P, 2) float64 x y each, finite, in continuous pixels.
        size: (height, width) of the image.
    """
    points = np.concatenate(polygons)
    around = pixels_around(np.concatenate([points.min(0), points.max(0)]), size)
    masks = [fill(p, np.concatenate([p[1:], p[:1]]), around) for p in polygons]
    return window_of(masks[0] if len(masks) == 1 else np.any(masks, axis=0), around)
