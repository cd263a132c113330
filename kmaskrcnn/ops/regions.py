"""Masks that live in a window: cut, joined, resized, as run lengths, without an image-sized array.

A *region* is a pair ``(window, crop)``: ``window`` = x1 y1 x2 y2, whole pixels of the image,
half-open, inside it; ``crop`` = (y2 - y1, x2 - x1) bool. A photograph of 4000×3000 with 100 objects
holds 1.2 GB of full masks, but only a few MB of regions, and those are made one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

RLE = dict[str, Any]


class Region(NamedTuple):
    """One object's mask: ``crop`` (h, w) bool at ``window`` (x1, y1, x2, y2) of the image."""

    window: tuple[int, int, int, int]
    crop: np.ndarray

    @property
    def area(self) -> int:
        """Number of pixels of the object."""
        return int(np.count_nonzero(self.crop))


def make_region(window: Any, crop: np.ndarray) -> Region:
    """A region from any four numbers and an array, checked: crop's shape must be the window's."""
    left, top, right, bottom = (int(v) for v in window)
    crop = np.asarray(crop, dtype=bool)
    if crop.shape != (bottom - top, right - left):
        raise ValueError(
            f"expected a crop of the window's size {(bottom - top, right - left)} (height, width), "
            f"got {crop.shape} for window x1 y1 x2 y2 = {(left, top, right, bottom)}"
        )
    return Region((left, top, right, bottom), crop)


def tight_region(mask: np.ndarray, origin: tuple[int, int] = (0, 0)) -> Region:
    """The region of an array (H, W), as small as it can be.

    Args:
        mask: not 0 where the object is.
        origin: x, y of the array's first pixel in the image.
    """
    mask = np.asarray(mask, dtype=bool)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Region((0, 0, 0, 0), np.zeros((0, 0), bool))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    x, y = (int(v) for v in origin)
    window = (int(left) + x, int(top) + y, int(right) + x, int(bottom) + y)
    return Region(window, mask[top:bottom, left:right])


def box_region(box: np.ndarray, image_size: tuple[int, int]) -> Region:
    """The pixels of the image whose centres lie in a box (4,), x1 y1 x2 y2."""
    edges = np.ceil(np.asarray(box, np.float64) - 0.5)
    left, top, right, bottom = np.clip(edges, 0, np.tile(image_size[::-1], 2)).astype(int).tolist()
    return Region((left, top, right, bottom), np.ones((bottom - top, right - left), bool))


def union(regions: Sequence[Region]) -> Region:
    """All pixels of several regions."""
    there = [region for region in regions if region.crop.size]
    if not there:
        return Region((0, 0, 0, 0), np.zeros((0, 0), bool))
    windows = np.array([region.window for region in there])
    left, top = (int(v) for v in windows[:, :2].min(axis=0))
    right, bottom = (int(v) for v in windows[:, 2:].max(axis=0))
    crop = np.zeros((bottom - top, right - left), bool)
    for (x1, y1, x2, y2), part in there:
        crop[y1 - top : y2 - top, x1 - left : x2 - left] |= part
    return Region((left, top, right, bottom), crop)


def to_mask(region: Region, image_size: tuple[int, int]) -> np.ndarray:
    """The full mask (H, W) bool of a region."""
    mask = np.zeros(image_size, dtype=bool)
    left, top, right, bottom = region.window
    mask[top:bottom, left:right] = region.crop
    return mask


def resize(region: Region, old_size: tuple[int, int], new_size: tuple[int, int]) -> Region:
    """The region in the image resized from ``old_size`` to ``new_size`` (height, width).

    A pixel belongs to it when its centre fell into the object.
    """
    if not region.crop.size or tuple(old_size) == tuple(new_size):
        return region
    left, top, right, bottom = region.window
    rows, y = _kept_centres(top, bottom, old_size[0], new_size[0])
    columns, x = _kept_centres(left, right, old_size[1], new_size[1])
    if not len(rows) or not len(columns):
        return Region((0, 0, 0, 0), np.zeros((0, 0), bool))
    window = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return Region(window, region.crop[np.ix_(y, x)])


def _kept_centres(start: int, end: int, old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """The new pixels whose centres lie in start … end of the old axis, and their places there."""
    places = np.floor((np.arange(new) + 0.5) * old / new).astype(int)
    kept = np.flatnonzero((places >= start) & (places < end))
    return kept, places[kept] - start


def to_rle(region: Region, image_size: tuple[int, int]) -> RLE:
    """Compressed COCO RLE of a region, equal to ``pycocotools.mask.encode`` of the full mask.

    Runs are counted down the columns of the crop and shifted to the image, so that time and memory
    follow the crop and not the image.

    Returns: ``{"size": [H, W], "counts": str}``, ready for JSON.
    """
    height, width = (int(v) for v in image_size)
    left, top, _, _ = region.window
    crop = region.crop
    padded = np.zeros((crop.shape[1], crop.shape[0] + 2), dtype=np.int8)
    padded[:, 1:-1] = crop.T
    column, row = np.nonzero(np.diff(padded, axis=1))  # a start and an end by turns
    edges = (column + left) * height + (row + top)
    edges = _join_touching_runs(edges.astype(np.int64))
    counts = np.diff(edges, prepend=0).tolist()
    if not edges.size or edges[-1] < height * width:
        counts.append(height * width - (int(edges[-1]) if edges.size else 0))
    rle = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    return {"size": [height, width], "counts": _as_text(rle["counts"])}


def _join_touching_runs(edges: np.ndarray) -> np.ndarray:
    """Drops end/start pairs at the same place: a column full to the bottom goes on in the next."""
    touching = np.flatnonzero(edges[1:-1:2] == edges[2::2])
    return np.delete(edges, np.concatenate([2 * touching + 1, 2 * touching + 2]))


def _as_text(counts: str | bytes) -> str:
    return counts.decode("ascii") if isinstance(counts, bytes) else counts
