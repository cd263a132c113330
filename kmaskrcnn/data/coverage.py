"""How much of each pixel an outline encloses: masks are rasterised by the area they cover.

The area is summed along the outline, as renderers of fonts do (Levien's font-rs), so it is exact,
and costs what the outline is long. pycocotools, with which truth is measured, rounds outlines to
fifths of a pixel; of a small object that moves one pixel in twenty.
"""

from __future__ import annotations

import numpy as np

from kmaskrcnn.data.rle import EMPTY, Window, array_window

NUDGE = 1e-6
"""Pixels by which all is moved to the lower right: of a pixel that is covered by half, as when an
image is halved, left and upper edges lose it and right and lower ones get it."""


def pixels_around(box: np.ndarray, size: tuple[int, int]) -> Window:
    """The window of the pixels of a picture of ``size`` (height, width) that a box (4,) touches."""
    limits = np.array([size[1], size[0]])
    left, top = np.clip(np.floor(box[:2]), 0, limits).astype(int).tolist()
    right, bottom = np.clip(np.floor(box[2:] + NUDGE) + 1, 0, limits).astype(int).tolist()
    return left, top, max(right, left), max(bottom, top)


def window_of(inside: np.ndarray, around: Window) -> tuple[Window, np.ndarray]:
    """A mask (h, w) that lies at a window, as its tight window and the crop in it."""
    (left, top, right, bottom), crop = array_window(inside)
    x, y = around[:2]
    return ((left + x, top + y, right + x, bottom + y), crop) if crop.size else EMPTY


def fill(starts: np.ndarray, ends: np.ndarray, around: Window) -> np.ndarray:
    """The pixels (h, w) bool of a window of which a closed outline encloses more than half.

    Of an outline that crosses itself, inside is what it goes around an odd number of times.

    Args:
        starts, ends: (E, 2) x y of the outline's parts, in pixels, in any order.
        around: the window; the outline may leave it.
    """
    left, top, right, bottom = around
    shape = bottom - top, right - left
    rising = starts[:, 1] != ends[:, 1]
    corner = np.array([left, top]) - NUDGE
    places, changes = _changes(starts[rising] - corner, ends[rising] - corner, shape)
    order = np.argsort(places, kind="stable")
    places, turns = places[order], np.cumsum(changes[order])
    last = np.flatnonzero(places[1:] != places[:-1])  # all that changes at a place has changed
    last = np.append(last, len(places) - 1) if len(places) else last
    inside = np.abs((np.abs(turns[last]) + 1) % 2 - 1) > 0.5
    lengths = np.diff(places[last], prepend=0, append=shape[0] * (shape[1] + 1))
    runs = np.repeat(np.concatenate([[False], inside]), lengths)
    return runs.reshape(shape[0], shape[1] + 1)[:, :-1]


def _changes(
    starts: np.ndarray, ends: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Where along the rows of a picture the enclosed share changes, and by how much.

    A part of the outline encloses all to its right: of the pixel that it passes a share, of those
    behind that pixel the whole, each as high as the part.

    Returns:
        Places (P,), row · (width + 1) + column, the last column of all beyond the picture; changes
        (P,), whose sum in a row is 0; from above to below they are negative.
    """
    height, width = size
    points, same_edge = _split(starts, ends, size)
    here, there = points[:-1][same_edge], points[1:][same_edge]
    middle, rise = (here + there) / 2, here[:, 1] - there[:, 1]
    seen = (middle[:, 1] > 0) & (middle[:, 1] < height)
    x, rise = np.clip(middle[seen, 0], 0, width), rise[seen]
    columns, rows = x.astype(np.int64), middle[seen, 1].astype(np.int64)
    spared = rise * (x - columns)  # what lies left of the part in its own pixel
    places = rows * (width + 1) + columns
    return (
        np.concatenate([places, np.where(columns < width, places + 1, places)]),
        np.concatenate([rise - spared, spared]),
    )


def _split(
    starts: np.ndarray, ends: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Edges cut where they pass from pixel to pixel: points (P, 2) along all of them, and whether
    each (P - 1) is of the same edge as the next."""
    numbers = np.arange(len(starts))
    edges, shares = [numbers] * 2, [np.zeros(len(starts)), np.ones(len(starts))]
    for axis, side in ((0, size[1]), (1, size[0])):
        a, b = starts[:, axis], ends[:, axis]
        first = np.maximum(np.ceil(np.minimum(a, b)), 0)
        last = np.minimum(np.floor(np.maximum(a, b)), side)
        counts = np.maximum(last - first + 1, 0).astype(np.int64)
        counts[a == b] = 0
        edge = np.repeat(numbers, counts)
        line = np.arange(len(edge)) + (first - np.cumsum(counts) + counts)[edge]
        edges.append(edge)
        shares.append((line - a[edge]) / (b - a)[edge])
    edge, share = np.concatenate(edges), np.concatenate(shares)
    order = np.argsort(edge + share * (1 - 1e-9))  # by edge, then along it
    edge, share = edge[order], share[order, None]
    return starts[edge] + share * (ends - starts)[edge], edge[:-1] == edge[1:]
