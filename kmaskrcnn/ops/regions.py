"""Masks that live in a window: run lengths, outlines and boxes without an image-sized array.

A *region* is a pair ``(window, crop)``: ``window`` = x1 y1 x2 y2, whole pixels of the image,
half-open, inside it; ``crop`` = (y2 - y1, x2 - x1) bool. A photograph of 4000×3000 with 100 objects
holds 1.2 GB of full masks, but only a few MB of regions, and those are made one at a time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
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


def to_polygons(region: Region, tolerance: float = 0.0) -> list[np.ndarray]:
    """Outer outlines of a region, along the edges of its pixels.

    ``cv2.findContours`` runs through the centres of the border pixels, half a pixel inside the
    object. Here it runs on the lattice of pixel corners (odd places are pixels, even places the
    lines between them), so that the outline of one pixel is its unit square. Holes have no outline,
    as in COCO's polygons.

    Args:
        region: the object.
        tolerance: pixels that a simplified outline may leave the true one by; 0 keeps every step.

    Returns: polygons (P, 2) float32, x y in continuous pixels of the image, largest first.
    """
    height, width = region.crop.shape
    if not region.crop.any():
        return []
    lattice = np.zeros((2 * height + 1, 2 * width + 1), dtype=np.uint8)
    lattice[1::2, 1::2] = region.crop
    lattice = cv2.dilate(lattice, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(lattice, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if tolerance > 0:
        contours = [cv2.approxPolyDP(contour, 2 * tolerance, True) for contour in contours]
    origin = np.asarray(region.window[:2], dtype=np.float32)
    outlines = [contour.reshape(-1, 2).astype(np.float32) / 2 + origin for contour in contours]
    return sorted((o for o in outlines if len(o) >= 3), key=cv2.contourArea, reverse=True)
