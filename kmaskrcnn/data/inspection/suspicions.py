"""What looks wrong with an annotation: tiny, huge, twice, outside, crossing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.rle import array_window, decode_window, instance_rle, read_counts

TINY = 16.0
"""Pixels: an object that covers fewer is rather a slip of the mouse."""
HUGE = 0.98
"""Share of the image: a box that covers more is rather the image itself."""
OUTSIDE = 1.0
"""Pixels that a box may reach beyond its image, where tools round."""
SAME_BOX = 0.95
"""Overlap (IoU) of two boxes on one image that are rather one object."""
ALIKE_BOX = 0.7
"""Overlap of two boxes of one class from which on their masks are compared …"""
ALIKE_MASK = 0.75
"""… and the overlap of their masks from which on one is rather a copy of the other."""
OTHER_BOX = 0.7
"""Overlap of a box and the box of its mask, below which they are not of one object …"""
OTHER_BOX_PIXELS = 4.0
"""… if an edge is off by more than so many pixels, too."""
BLOCK = 256  # segments that are compared with all others at a time

Finding = tuple[str, str]  # kind, detail


class Measures(NamedTuple):
    """An object in figures: its box (4,) x1 y1 x2 y2, that of its mask, its pixels."""

    box: np.ndarray | None
    mask_box: np.ndarray | None
    area: float

    @property
    def extent(self) -> np.ndarray:
        """(4,): its box, else that of its mask, else nan."""
        found = self.box if self.box is not None else self.mask_box
        return np.full(4, np.nan) if found is None else found

    @property
    def has_area(self) -> bool:
        """Whether its extent is finite and not empty."""
        return bool(_have_area(self.extent[None])[0])


def measure(instance: Instance) -> Measures:
    """The box and the area of an object, without painting it.

    Raises:
        DataError, ValueError, TypeError, KeyError, IndexError: a mask or box that is none.
    """
    mask, mask_box, area = instance.mask, None, 0.0
    if isinstance(mask, Mapping):
        area = float(read_counts(mask)[1::2].sum())
        mask_box = np.array(decode_window(mask)[0], float)
    elif isinstance(mask, np.ndarray):
        window, crop = array_window(mask)
        mask_box, area = np.array(window, float), float(crop.sum())
    elif mask is not None:
        polygons = [_points(polygon) for polygon in mask]
        points = np.concatenate(polygons) if polygons else np.zeros((1, 2))
        mask_box = np.concatenate([points.min(0), points.max(0)])
        area = float(sum(_area(polygon) for polygon in polygons))
    box = None if instance.box is None else _points(instance.box).reshape(4)
    if mask is None and box is not None:
        area = float(np.prod(np.maximum(box[2:] - box[:2], 0)))
    return Measures(box, mask_box, area if instance.area is None else float(instance.area))


def findings(instance: Instance, figures: Measures, size: tuple[int, int]) -> Iterator[Finding]:
    """What looks wrong with one object of an image of ``size`` (height, width)."""
    extent = figures.extent
    if not figures.has_area:
        yield "object without an area", _text(extent)
        return
    outlines = instance.mask if isinstance(instance.mask, Sequence) else ()
    if any(_crosses_itself(polygon) for polygon in outlines):
        yield "outline that crosses itself", f"{sum(map(len, outlines))} points"
    elif figures.mask_box is not None and not figures.area > 0:
        yield "object without an area", "the mask has no pixel"
        return
    limit = np.array([size[1], size[0], size[1], size[0]], float)
    if (extent < -OUTSIDE).any() or (extent > limit + OUTSIDE).any():
        yield "reaches out of the image", f"{_text(extent)} in {size[0]}×{size[1]}"
    if not instance.crowd:
        if figures.area < TINY:
            yield "tiny", f"{figures.area:.3g} pixels"
        inside = np.clip(extent, 0, limit)
        if np.prod(inside[2:] - inside[:2]) > HUGE * size[0] * size[1]:
            yield "as large as the image", _text(extent)
    if figures.box is not None and figures.mask_box is not None:
        overlap = float(_overlaps(figures.box[None], figures.mask_box[None])[0, 0])
        off = np.abs(figures.box - figures.mask_box).max()
        if overlap < OTHER_BOX and off > OTHER_BOX_PIXELS:
            both = f"box {_text(figures.box)}, mask {_text(figures.mask_box)}"
            yield "box that is not its mask's", both


def copies(
    instances: Sequence[Instance], figures: Sequence[Measures], size: tuple[int, int]
) -> Iterator[tuple[int, int, Finding]]:
    """Objects of an image of ``size`` that stand where another one stands, crowds aside.

    Yields:
        The indices of the other one and of the later one, and what is wrong with that.
    """
    boxes = np.array([f.extent for f in figures], float).reshape(-1, 4)
    free = np.array([not i.crowd for i in instances], bool)
    usable = np.flatnonzero(free & _have_area(boxes))
    for start in range(0, len(usable), BLOCK):
        rows = usable[start : start + BLOCK]
        overlaps = _overlaps(boxes[rows], boxes[usable])
        for row, column in np.argwhere(overlaps >= ALIKE_BOX):
            first, second = int(rows[row]), int(usable[column])
            if first < second:
                pair = instances[first], instances[second]
                for finding in _copy(*pair, float(overlaps[row, column]), size):
                    yield first, second, finding


def _copy(
    first: Instance, second: Instance, overlap: float, size: tuple[int, int]
) -> Iterator[Finding]:
    same_class = first.label == second.label
    if overlap >= SAME_BOX and same_class:
        yield "twice", f"the same box and class as annotation {first.annotation_id}"
    elif overlap >= SAME_BOX:
        yield "two classes in one place", f"the same box as annotation {first.annotation_id}"
    elif same_class and first.mask is not None and second.mask is not None:
        codes = [[instance_rle(instance, size)] for instance in (first, second)]
        shared = float(coco_mask.iou(*codes, [0])[0, 0])
        if shared >= ALIKE_MASK:
            yield "almost twice", f"IoU {shared:.2f} with annotation {first.annotation_id}"


def _have_area(boxes: np.ndarray) -> np.ndarray:
    """Which of the boxes (N, 4) are finite and not empty: (N,) bool."""
    return np.isfinite(boxes).all(1) & (boxes[:, 2:] > boxes[:, :2]).all(1)


def _points(values: np.ndarray | Sequence) -> np.ndarray:
    """(P, 2) float64, none of them farther away than can be squared."""
    return np.clip(np.asarray(values, float), -1e12, 1e12).reshape(-1, 2)


def _area(polygon: np.ndarray) -> float:
    """Of a polygon (P, 2), by the shoelace formula."""
    x, y = (polygon - polygon[:1]).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU (N, M) of boxes (N, 4) and (M, 4), float64."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (boxes, others)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-12)


def _crosses_itself(polygon: np.ndarray) -> bool:
    """Whether two edges of a polygon (P, 2) cross, beyond touching."""
    start = _points(polygon)
    start = start[np.any(start != np.roll(start, 1, axis=0), axis=1)]
    if len(start) < 4 or not np.isfinite(start).all():
        return False
    end = np.roll(start, -1, axis=0)
    for first in range(0, len(start), BLOCK):
        rows = slice(first, first + BLOCK)
        away = _side(start[rows], end[rows], start) * _side(start[rows], end[rows], end) < 0
        back = _side(start, end, start[rows]) * _side(start, end, end[rows]) < 0
        if (away & back.T).any():
            return True
    return False


def _side(start: np.ndarray, end: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, M): on which side of each line (N) each point (M) lies; 0 on the line, to a hair."""
    along = (end - start)[:, None]
    away = points[None] - start[:, None]
    across = along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
    return np.where(np.abs(across) < 1e-6, 0, across)


def _text(box: np.ndarray) -> str:
    return "no box" if np.isnan(box).all() else "(" + ", ".join(f"{v:.4g}" for v in box) + ")"
