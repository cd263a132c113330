"""What a warped object is, slowly and obviously: the reference of ``test_exactness.py``.

A pixel belongs to an object when most of it does, by points all over it, each carried back to the
original image and looked up there. A box is that of points all along the outline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.path import Path

SAMPLES = 3, 12, 40  # points an axis of a pixel; more where it is nearly half covered
STEP = 0.05  # pixels between two points of an outline, so far may its box be off
Inside = Callable[[np.ndarray], np.ndarray]


def in_polygons(polygons: Sequence[np.ndarray]) -> Inside:
    """Whether points (P, 2) of the original image lie in one of its polygons."""
    paths = [Path(np.vstack([polygon, polygon[:1]]), closed=True) for polygon in polygons]
    return lambda points: np.any([path.contains_points(points) for path in paths], axis=0)


def in_bitmap(mask: np.ndarray) -> Inside:
    """The same for a mask (H, W), whose pixels are squares."""
    height, width = mask.shape

    def inside(points: np.ndarray) -> np.ndarray:
        x, y = np.floor(points).astype(int).T
        known = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        return known & mask[y.clip(0, height - 1), x.clip(0, width - 1)]

    return inside


def majority(
    inside: Inside, matrix: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """(h, w) bool: the pixels of the view of which the object, through ``matrix`` (3, 3), covers
    more than half; and those of which it covers just half, which may belong to it or not."""
    rows, columns = np.indices(size).reshape(2, -1)
    shares, doubtful = np.empty(rows.size), np.arange(rows.size)
    for samples in SAMPLES:
        shares[doubtful] = _shares(inside, matrix, rows[doubtful], columns[doubtful], samples)
        doubtful = np.flatnonzero(np.abs(shares - 0.5) < 1 / samples)
    shares = shares.reshape(size)
    return shares > 0.5, np.abs(shares - 0.5) < 1 / SAMPLES[-1]


def _shares(inside: Inside, matrix: np.ndarray, rows, columns, samples: int) -> np.ndarray:
    fine = (np.arange(samples) + 0.5) / samples
    x, y = (
        np.add.outer(side, part.ravel())
        for side, part in zip((columns, rows), np.meshgrid(fine, fine), strict=True)
    )
    points = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return inside((points @ np.linalg.inv(matrix).T)[:, :2]).reshape(x.shape).mean(1)


def outline_of_polygons(polygons: Sequence[np.ndarray]) -> np.ndarray:
    """Points (P, 2) all along the polygons' edges."""
    return np.concatenate(
        [_between(a, b) for p in polygons for a, b in zip(p, np.roll(p, -1, 0), strict=True)]
    )


def outline_of_bitmap(mask: np.ndarray) -> np.ndarray:
    """Points (P, 2) all along the edges of every pixel of a mask that has a neighbour outside."""
    padded = np.pad(mask, 1)
    whole = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    unit = outline_of_polygons([np.array(corners, float)])
    return np.concatenate([unit + [x, y] for y, x in np.argwhere(mask & ~whole)])


def box_of(outline: np.ndarray, inside: Inside, matrix: np.ndarray, size: tuple[int, int]):
    """x1 y1 x2 y2 around what lies in the view: its part of the outline, and the view's corners
    that lie in the object; None around nothing."""
    height, width = size
    points = outline @ matrix[:2, :2].T + matrix[:2, 2]
    seen = ((points >= 0) & (points <= [width, height])).all(1)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    back = np.linalg.inv(matrix)
    covered = inside(corners @ back[:2, :2].T + back[:2, 2])
    points = np.concatenate([points[seen], corners[covered]])
    return np.concatenate([points.min(0), points.max(0)]) if len(points) else None


def _between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    count = max(int(np.linalg.norm(end - start) / STEP), 1) + 1
    return start + np.linspace(0, 1, count)[:, None] * (end - start)
