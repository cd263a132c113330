"""The shapes of a LabelMe file as instances: outlines, circles, painted masks, groups."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Instance, Mask
from kmaskrcnn.data.formats.outlines import BEYOND, Size, ellipse, usable_polygon
from kmaskrcnn.data.headers import read_size
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import FAR, encode

IGNORED = ("__ignore__", "_background_")
"""Labels that LabelMe itself reserves: no class."""
OUTLINES = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")
CROWD_FLAGS = ("crowd", "iscrowd")


class Shape(NamedTuple):
    """A usable shape: its label, its polygon (P, 2) or run-length code, and its place."""

    label: str
    mask: np.ndarray | dict[str, Any]
    group: Any
    crowd: bool
    number: int


def read_shapes(shapes: Sequence[Any], size: Size | None, file: str, report: Report) -> list[Shape]:
    """The shapes that outline something; the others are counted in ``report``.

    Args:
        shapes: the file's list.
        size: (height, width) of the image, if the file says so.
        file: for messages.
        report: takes the repairs and omissions.
    """
    found = []
    for number, shape in enumerate(shapes):
        place = f"{file}, shapes[{number}]"
        if not isinstance(shape, Mapping):
            report.add("shape left out, it is no object {…}", place)
            continue
        label = shape.get("label")
        flags = shape.get("flags")
        flags = flags if isinstance(flags, Mapping) else {}
        if label in (None, ""):
            report.add("shape left out, it has no label", place)
        elif label in IGNORED or flags.get("__ignore__") or flags.get("ignore"):
            report.add("shape left out, marked as to be ignored", place)
        elif (mask := _parse_mask(shape, size, place, report)) is not None:
            crowd = any(flags.get(flag) is True for flag in CROWD_FLAGS)
            found.append(Shape(str(label), mask, shape.get("group_id"), crowd, number))
    return found


def decode_base64(text: Any) -> bytes:
    """The bytes in a text of base64, which may be broken into lines or begin as a data URI.

    Raises:
        TypeError, ValueError: something else.
    """
    if isinstance(text, str):
        text = "".join(text.partition(";base64,")[2].split() or text.split())
    return base64.b64decode(text, validate=True)


def to_instances(shapes: Sequence[Shape], labels: Mapping[str, int], stem: str) -> list[Instance]:
    """One instance for each shape, and for all shapes of one label and one ``group_id``.

    Args:
        shapes: of one image, each with a label that ``labels`` has.
        labels: name → label.
        stem: the file's, first part of the annotation ids.
    """
    groups: dict[Any, list[Shape]] = {}
    for shape in shapes:
        alone = shape.group is None
        key = shape.number if alone else (shape.label, str(shape.group))
        groups.setdefault(key, []).append(shape)
    return [
        Instance(
            labels[group[0].label],
            _union([shape.mask for shape in group]),
            crowd=any(shape.crowd for shape in group),
            annotation_id=f"{stem}:{group[0].number}",
        )
        for group in groups.values()
    ]


def _union(masks: Sequence[Any]) -> Mask:
    """Polygons stay a list of polygons; beside a painted mask they are painted, too."""
    codes = [mask for mask in masks if isinstance(mask, Mapping)]
    polygons = [mask for mask in masks if not isinstance(mask, Mapping)]
    if not codes:
        return polygons
    if polygons:
        height, width = codes[0]["size"]
        limit = FAR * np.array([width, height])
        flat = [np.clip(polygon, -limit, limit).reshape(-1) for polygon in polygons]
        codes += coco_mask.frPyObjects(flat, height, width)
    return codes[0] if len(codes) == 1 else coco_mask.merge(codes)


def _parse_mask(shape: Mapping[str, Any], size: Size | None, place: str, report: Report) -> Any:
    kind = shape.get("shape_type") or "polygon"
    if kind in OUTLINES:
        return usable_polygon(shape.get("points"), size, place, report)
    if kind not in ("rectangle", "circle", "mask"):
        report.add(f"shape left out, a {str(kind)[:20]} has no area", place)
        return None
    try:
        points = np.asarray(shape.get("points"), np.float64)
        points = points if kind == "rectangle" and len(points) == 4 else points.reshape(2, 2)
    except (TypeError, ValueError, OverflowError):
        report.add(f"shape left out, the {kind} needs two points", place)
        return None
    points = np.clip(points, -BEYOND, BEYOND)  # which is beyond for what it outlines, too
    if kind == "mask":
        return _painted(shape.get("mask"), points, size, place, report)
    return usable_polygon(_outline(kind, points), size, place, report)


def _outline(kind: str, points: np.ndarray) -> np.ndarray:
    """A rectangle (two corners, or four) or a circle (centre, point on it) as a polygon."""
    if len(points) == 4:
        return points
    (x1, y1), (x2, y2) = points
    if kind == "rectangle":
        return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    radius = np.hypot(x2 - x1, y2 - y1)
    return ellipse(points[0], np.array([radius, radius]))


def _painted(
    text: Any, corners: np.ndarray, size: Size | None, place: str, report: Report
) -> dict[str, Any] | None:
    """A PNG in base64 between two corner pixels, as a run-length code of the whole image."""
    if size is None:
        report.add("painted mask left out, the file does not say the image's size", place)
        return None
    try:
        data = decode_base64(text)
        height, width = read_size(data) or (0, 0)
        fits = 0 < height <= size[0] + 1 and 0 < width <= size[1] + 1
        crop = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if fits else None
    except (TypeError, ValueError, cv2.error):
        crop = None
    if crop is None or not np.isfinite(corners).all():
        report.add("painted mask left out, it cannot be decoded", place)
        return None
    left, top = np.clip(np.rint(corners.min(0)), 0, size[::-1]).astype(int)
    mask = np.zeros(size, bool)
    room = mask[top : top + crop.shape[0], left : left + crop.shape[1]]
    room[:] = crop[: room.shape[0], : room.shape[1]] > 0
    if not mask.any():
        report.add("painted mask left out, it has no pixel", place)
        return None
    return encode(mask)
