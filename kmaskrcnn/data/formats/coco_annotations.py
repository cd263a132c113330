"""One COCO annotation as an ``Instance``: what is wrong is mended or left out, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Instance, Mask
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_keypoints import parse_keypoints
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import read_counts

Size = tuple[int, int]
OVERHANG = 1.0
"""Pixels outside of the image that are not worth a line."""


def parse_annotation(
    annotation: dict[str, Any],
    labels: dict[Any, int],
    size: Size | None,
    place: str,
    report: Report,
    num_keypoints: int = 0,
) -> Instance | None:
    """The annotation as an instance, or None where nothing usable is left (counted in ``report``).

    Args:
        annotation: COCO's object.
        labels: category id → label.
        size: (height, width) of its image, if the file says so.
        place: the file and the annotation, for messages.
        report: takes the repairs and omissions.
        num_keypoints: that the categories name.

    Raises:
        DataError: an unknown category, a run-length code that does not fit the image, a list of
            keypoints of the wrong length.
    """
    category = annotation.get("category_id")
    if category not in labels:
        known = ", ".join(map(str, list(labels)[:20]))
        raise DataError(
            f"{place}: category_id {category!r} is not among the file's categories ({known}). "
            "Add it there."
        )
    mask = _parse_mask(annotation.get("segmentation"), size, place, report)
    box = _parse_box(annotation.get("bbox"), size, place, report, quiet=mask is not None)
    if mask is None and box is None:
        report.add("object left out, without a usable mask or box", place)
        return None
    area = annotation.get("area")
    return Instance(
        labels[category],
        mask,
        box=box,
        crowd=bool(annotation.get("iscrowd", 0)),
        area=float(area)
        if isinstance(area, int | float) and np.isfinite(area) and area > 0
        else None,
        annotation_id=annotation.get("id"),
        keypoints=parse_keypoints(annotation.get("keypoints"), num_keypoints, place, report),
    )


def _parse_mask(segmentation: Any, size: Size | None, place: str, report: Report) -> Mask:
    if isinstance(segmentation, Mapping):
        return _parse_code(segmentation, size, place)
    if not isinstance(segmentation, list) or not segmentation:
        if segmentation not in (None, []):
            report.add(
                "segmentation that is neither polygons nor a run-length code left out", place
            )
        return None
    rings = [segmentation] if isinstance(segmentation[0], int | float) else segmentation
    polygons = [_parse_polygon(ring, size, place, report) for ring in rings]
    return [polygon for polygon in polygons if polygon is not None] or None


def _parse_code(code: Mapping[str, Any], size: Size | None, place: str) -> Mask:
    """A run-length code, made compressed; each is read once, so that none can fail later."""
    if (
        not isinstance(code.get("size"), list | tuple)
        or len(code["size"]) != 2
        or "counts" not in code
    ):
        raise DataError(
            f"{place}: a run-length code needs 'size' [height, width] and 'counts', got "
            f"{list(code)}."
        )
    if size is not None and tuple(code["size"]) != tuple(size):
        raise DataError(
            f"{place}: the run-length code is {code['size'][0]}×{code['size'][1]} "
            f"(height×width), its image {size[0]}×{size[1]}."
        )
    try:
        counts = read_counts(code)
    except DataError as error:
        raise DataError(f"{place}: {error}. Export the annotation again.") from error
    if not counts[1::2].any():
        return None
    if isinstance(code["counts"], str | bytes):
        return dict(code)
    return coco_mask.frPyObjects(
        {"size": list(code["size"]), "counts": counts.tolist()}, *code["size"]
    )


def _parse_polygon(ring: Any, size: Size | None, place: str, report: Report) -> np.ndarray | None:
    """(P, 2) float64, or None with a reason in the report."""
    try:
        flat = np.asarray(ring, np.float64).reshape(-1)
    except (TypeError, ValueError):
        report.add("polygon left out, not a list of numbers", place)
        return None
    if flat.size < 6 or flat.size % 2:
        report.add("polygon left out, fewer than 3 points x, y", place)
        return None
    points = flat.reshape(-1, 2)
    if not np.isfinite(points).all():
        report.add("polygon left out, a coordinate is not a finite number", place)
        return None
    if _is_flat(points):
        report.add("polygon left out, it has no area", place)
        return None
    return points if size is None else _inside(points, size, place, report)


def _inside(points: np.ndarray, size: Size, place: str, report: Report) -> np.ndarray | None:
    limit = np.array(size[::-1], np.float64)
    low, high = points.min(0), points.max(0)
    if (high <= 0).any() or (low >= limit).any():
        report.add("polygon left out, it lies outside of the image", place)
        return None
    if (low < -OVERHANG).any() or (high > limit + OVERHANG).any():
        report.add("polygon clipped at the image's edge", place)
    return points


def _is_flat(points: np.ndarray) -> bool:
    """Whether all points lie on one line."""
    away = points - points[0]
    far = away[np.argmax(np.abs(away).sum(1))]
    across = away[:, 0] * far[1] - away[:, 1] * far[0]
    return bool(np.abs(across).max() <= 1e-9 * max(float(far @ far), 1e-300))


def _parse_box(
    bbox: Any, size: Size | None, place: str, report: Report, quiet: bool
) -> tuple[float, float, float, float] | None:
    """x1 y1 x2 y2 out of x, y, width, height; None where unusable. ``quiet``: there is a mask."""
    then = "taken from the mask" if quiet else "left out"
    try:
        box = np.asarray(bbox, np.float64).reshape(4) if bbox is not None else None
    except (TypeError, ValueError):
        report.add(f"box that is not four numbers {then}", place)
        return None
    if box is None or (quiet and not box.any()):
        return None
    if not np.isfinite(box).all() or min(box[2:]) <= 0:
        report.add(f"box without an area {then}", place)
        return None
    corners = np.concatenate([box[:2], box[:2] + box[2:]])
    if size is None:
        return tuple(corners.tolist())
    clipped = np.clip(corners, 0, [size[1], size[0], size[1], size[0]])
    if np.abs(clipped - corners).max() > OVERHANG:
        report.add("box clipped at the image's edge", place)
    return tuple(clipped.tolist()) if min(clipped[2:] - clipped[:2]) > 0 else None
