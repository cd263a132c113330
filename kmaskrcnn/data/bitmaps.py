"""Bitmaps through a matrix, exactly: each pixel is a square, and a pixel of the view belongs to the
warped union of squares when most of it is covered.

To ask for the pixel under the centre would be wrong for one pixel in ten of a turned object's edge.
"""

from __future__ import annotations

import numpy as np

from kmaskrcnn.data.coverage import fill, pixels_around, window_of
from kmaskrcnn.data.geometry import View, warp_box, warp_points
from kmaskrcnn.data.rle import EMPTY, Window


def warp_bitmap(window: Window, crop: np.ndarray, view: View) -> tuple[Window, np.ndarray]:
    """A bool crop (h, w) at ``window``, warped: its tight window in the view, and the crop."""
    if not crop.size:
        return EMPTY
    around = pixels_around(warp_box(np.asarray(window), view.matrix), view.size)
    starts, ends = (warp_points(p + window[:2], view.matrix) for p in outline(crop))
    return window_of(fill(starts, ends, around), around)


def outline(crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The straight parts (E, 2) of a bitmap's outline, as long as may be: x y of start and end.

    What is inside lies to the right of each, seen on the picture: they go around it clockwise.
    """
    height, width = crop.shape
    padded = np.zeros((height + 2, width + 2), np.int8)
    padded[1:-1, 1:-1] = crop
    starts, ends = _runs(padded[1:] - padded[:-1])  # above each pixel: 1 enters
    columns, rows = _runs((padded[:, :-1] - padded[:, 1:]).T)  # left of it; upwards, 1 leaves
    return (
        np.concatenate([starts, columns[:, ::-1]]).astype(np.float64),
        np.concatenate([ends, rows[:, ::-1]]).astype(np.float64),
    )


def _runs(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of 1 and of -1 along each row: column and row of their ends (E, 2); -1 runs back.

    Every row begins and ends with a 0, and columns count from behind the first.
    """
    changes, inner = signs[:, 1:] != signs[:, :-1], signs[:, 1:-1]
    rows, first = np.nonzero(changes[:, :-1] & (inner != 0))
    beyond = np.nonzero(changes[:, 1:] & (inner != 0))[1] + 1
    forwards = (inner[rows, first] > 0)[:, None]
    left, right = np.column_stack([first, rows]), np.column_stack([beyond, rows])
    return np.where(forwards, left, right), np.where(forwards, right, left)
