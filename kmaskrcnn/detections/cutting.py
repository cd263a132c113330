"""Pieces of the image: what is around each object, or the object alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops import drawing

Image = str | Path | np.ndarray


def image_of(found: Objects, image: Image | None, what: str) -> np.ndarray:
    """The image that was given, or that the objects were found in: (H, W, 3) uint8 RGB."""
    image = found.image if image is None else image
    if image is None:
        raise ValueError(f"{what}() needs the image: call {what}(image) with a path or an array")
    return drawing.as_rgb(image, found.image_size)


def crops(found: Objects, image: np.ndarray, margin: int = 0) -> Iterator[np.ndarray]:
    """(h, w, 3) uint8 of each object's box and ``margin`` pixels around it, inside the image.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    for box in found.boxes:
        left, top, right, bottom = _window(box, margin, found.image_size)
        yield image[top:bottom, left:right].copy()


def cutouts(found: Objects, image: np.ndarray, margin: int = 0) -> Iterator[np.ndarray]:
    """(h, w, 4) uint8 RGBA of each object, transparent where it is not.

    Args:
        image: (H, W, 3) uint8 RGB.
    """
    for i in range(len(found)):
        region = found.pixels(i)
        left, top, right, bottom = _window(np.asarray(region.window), margin, found.image_size)
        piece = np.zeros((bottom - top, right - left, 4), np.uint8)
        piece[..., :3] = image[top:bottom, left:right]
        x1, y1, x2, y2 = region.window
        piece[y1 - top : y2 - top, x1 - left : x2 - left, 3] = 255 * region.crop.astype(np.uint8)
        yield piece


def _window(box: np.ndarray, margin: int, image_size: tuple[int, int]) -> tuple[int, ...]:
    """Whole pixels x1 y1 x2 y2 around a box, at least one, inside the image."""
    limit = np.array(image_size[::-1])
    first = np.clip(np.floor(box[:2]) - margin, 0, limit - 1)
    last = np.clip(np.ceil(box[2:]) + margin, first + 1, limit)
    return tuple(int(v) for v in (*first, *last))
