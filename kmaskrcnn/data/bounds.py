"""Upright boxes around warped outlines, cut at the borders of a view: exact between pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.data.bitmaps import outline
from kmaskrcnn.data.geometry import View, invert, warp_box, warp_points
from kmaskrcnn.data.rle import Window

NOTHING = np.array([np.inf, np.inf, -np.inf, -np.inf])


def polygon_bounds(polygons: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """The box (4,) float64 around what of polygons lies in a view; empty if nothing does.

    Args:
        polygons: (P, 2) float64 each, in pixels of the view.
        size: (height, width) of the view.
    """
    points = np.concatenate(polygons)
    box = np.concatenate([points.min(0), points.max(0)])
    if (box[:2] >= 0).all() and (box[2:] <= size[::-1]).all():
        return box
    return _filled(_joined([_cut_polygon(polygon, size) for polygon in polygons]))


def bitmap_bounds(window: Window, crop: np.ndarray, view: View) -> np.ndarray:
    """The box (4,) float64 around what of a bitmap lies in a view, each pixel a warped square.

    Args:
        window: x1 y1 x2 y2 in pixels of the original image. crop: (h, w) bool, tight in it.
        view: the matrix, and the size it leads to.
    """
    box = warp_box(np.asarray(window), view.matrix)
    upright = not (view.matrix[0, 1] or view.matrix[1, 0])
    if not upright:
        points = warp_points(_ends_of_rows(crop) + window[:2], view.matrix)
        box = np.concatenate([points.min(0), points.max(0)])
    if (box[:2] >= 0).all() and (box[2:] <= view.size[::-1]).all():
        return box
    starts, ends = (warp_points(p + window[:2], view.matrix) for p in outline(crop))
    corners = _corners(view.size)
    columns, rows = np.floor(warp_points(corners, invert(view.matrix)) - window[:2]).astype(int).T
    height, width = crop.shape
    known = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    inside = known & crop[np.where(known, rows, 0), np.where(known, columns, 0)]
    return _filled(_joined([_cut_edges(starts, ends, view.size), _around(corners[inside])]))


def _cut_polygon(polygon: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    ends = np.roll(polygon, -1, axis=0)
    corners = _corners(size)
    inside = [_contains(polygon, ends, corner) for corner in corners]
    return _joined([_cut_edges(polygon, ends, size), _around(corners[inside])])


def _contains(starts: np.ndarray, ends: np.ndarray, point: np.ndarray) -> bool:
    """Whether an odd number of edges is crossed on the way to the right."""
    crosses = (starts[:, 1] <= point[1]) != (ends[:, 1] <= point[1])
    (x1, y1), (x2, y2) = starts[crosses].T, ends[crosses].T
    return bool(np.sum(x1 + (point[1] - y1) / (y2 - y1) * (x2 - x1) > point[0]) % 2)


def _cut_edges(starts: np.ndarray, ends: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The box around the parts of edges (E, 2) that lie in a view (Liang and Barsky 1984)."""
    steps = ends - starts
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = -starts / steps, (np.array(size[::-1]) - starts) / steps
    along = steps == 0
    within = (starts >= 0) & (starts <= size[::-1])
    enters = np.where(along, np.where(within, 0, 2), np.minimum(first, second)).max(1).clip(0)
    leaves = np.where(along, 1, np.maximum(first, second)).min(1).clip(None, 1)
    seen = enters <= leaves
    parts = [starts[seen] + share[seen, None] * steps[seen] for share in (enters, leaves)]
    return np.clip(_around(np.concatenate(parts)), 0, [*size[::-1]] * 2) if seen.any() else NOTHING


def _ends_of_rows(crop: np.ndarray) -> np.ndarray:
    """The outer corners of the first and the last pixel of each row, (P, 2)."""
    rows = np.flatnonzero(crop.any(1))
    left, right = crop[rows].argmax(1), crop.shape[1] - crop[rows, ::-1].argmax(1)
    return np.column_stack([np.r_[left, right, left, right], np.r_[rows, rows, rows + 1, rows + 1]])


def _corners(size: tuple[int, int]) -> np.ndarray:
    height, width = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def _around(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(0), points.max(0)]) if len(points) else NOTHING


def _joined(boxes: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]])


def _filled(box: np.ndarray) -> np.ndarray:
    return box if np.isfinite(box).all() else np.zeros(4)
