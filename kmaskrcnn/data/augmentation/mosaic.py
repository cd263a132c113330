"""Mosaic (Bochkovskiy et al. 2020, arXiv:2004.10934): four images on one canvas."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.source import Drawn, Source, size_of
from kmaskrcnn.data.augmentation.views import filling_view, sample_view
from kmaskrcnn.data.encode import Truths, join, shifted


def draw_mosaic(
    source: Source, index: int, augmentation: Augmentation, rng: np.random.Generator
) -> Drawn:
    """An image and three random ones, each through an own view that fills its quarter.

    The canvas has the size of the first image without augmentation. Each image is shrunk or
    enlarged, in its one matrix, to the smallest size that fills its quarter, and cut at a random
    place; objects are those of the parts.

    Args:
        source, index: the dataset, and which image lies at the upper left.
        augmentation: the range of the point where the four meet, and what each view is drawn by.
        rng: all randomness comes from it.
    """
    sample, image = source.read(index)
    height, width = augmentation.canvas_size or source.usual_size(size_of(image))
    low, high = augmentation.mosaic_middle
    middle_y, middle_x = (_middle(rng.uniform(low, high), side) for side in (height, width))
    canvas = np.empty((height, width, 3), np.uint8)
    truths: list[Truths] = []
    augmentation = augmentation.replace(pad=False)
    for top, bottom in ((0, middle_y), (middle_y, height)):
        for left, right in ((0, middle_x), (middle_x, width)):
            if bottom == top or right == left:
                continue  # of an image one pixel wide
            if truths:
                sample, image = source.read(int(rng.integers(len(source.dataset))))
            view = sample_view(source, size_of(image), augmentation, rng)
            view = filling_view(view, (bottom - top, right - left), rng)
            part = source.seen(sample, image, view, augmentation.fill)
            canvas[top:bottom, left:right] = part.image
            truths.append(shifted(part.truths, left, top))
    return Drawn(canvas, join(*truths))


def _middle(share: float, side: int) -> int:
    """Whole pixels, at least one on both sides of it where there are two."""
    return min(max(int(share * side + 0.5), 1), max(side - 1, 1))
