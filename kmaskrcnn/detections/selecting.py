"""Which objects a filter keeps, and in which order they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.detections.objects import Objects

Range = tuple[float | None, float | None]
LARGEST_FIRST = ("score", "area")


def kept(
    found: Objects,
    score: float | None = None,
    classes: str | Sequence[str] | None = None,
    area: Range | None = None,
    side: Range | None = None,
    within: Sequence[float] | None = None,
    at_edge: bool | None = None,
) -> np.ndarray:
    """(K,) bool, True for the objects that pass every condition given; see `Detections.filter`."""
    keep = np.ones(len(found), dtype=bool)
    if score is not None:
        keep &= found.scores >= score
    if classes is not None:
        keep &= np.isin(found.labels, _labels(found, classes))
    if side is not None:
        longer = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0)
        keep &= _in_range("side", longer, side)
    if within is not None:
        keep &= _inside(found.boxes, within)
    if at_edge is not None:
        keep &= touches_edge(found) == at_edge
    if area is not None:  # last: the masks of those that are left are made
        places = np.flatnonzero(keep)
        keep[places] = _in_range("area", found[places].area, area)
    return keep


def _labels(found: Objects, classes: str | Sequence[str]) -> list[int]:
    names = [classes] if isinstance(classes, str) else list(classes)
    unknown = [name for name in names if name not in found.class_names]
    if unknown:
        raise ValueError(f"expected classes among {found.class_names}, got {unknown}")
    return [found.class_names.index(name) for name in names]


def _in_range(name: str, values: np.ndarray, limits: Range) -> np.ndarray:
    if not isinstance(limits, Sequence) or len(limits) != 2:
        raise ValueError(f"{name}: expected (least, most), None where there is no limit: {limits}")
    least, most = limits
    keep = np.ones(len(values), bool)
    if least is not None:
        keep &= values >= least
    if most is not None:
        keep &= values <= most
    return keep


def _inside(boxes: np.ndarray, window: Sequence[float]) -> np.ndarray:
    edges = np.asarray(window, np.float64)
    if edges.shape != (4,) or not (edges[2:] >= edges[:2]).all():
        raise ValueError(f"within: expected x1 y1 x2 y2 with x2 ≥ x1 and y2 ≥ y1, got {window!r}")
    return np.all((boxes[:, :2] >= edges[:2]) & (boxes[:, 2:] <= edges[2:]), axis=1)


def touches_edge(found: Objects) -> np.ndarray:
    """(K,) bool: the box comes within a pixel of the image's border, so part may be outside."""
    height, width = found.image_size
    past_edge = found.boxes - np.array([1, 1, width - 1, height - 1], np.float32)
    past_edge[:, :2] *= -1
    return np.any(past_edge >= 0, axis=1)


def order(found: Objects, by: str = "score", descending: bool | None = None) -> np.ndarray:
    """(K,) places of the objects in that order, the first stays first among equals."""
    keys = {
        "score": lambda: found.scores,
        "area": lambda: found.area,
        "class": lambda: found.labels,
        "left": lambda: found.boxes[:, 0],
        "top": lambda: found.boxes[:, 1],
    }
    if by not in keys:
        raise ValueError(f"expected an order by one of {', '.join(keys)}, got {by!r}")
    values = np.asarray(keys[by](), np.float64)
    down = by in LARGEST_FIRST if descending is None else descending
    return np.argsort(-values if down else values, kind="stable")
