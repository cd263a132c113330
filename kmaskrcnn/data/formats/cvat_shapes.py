"""The shapes of CVAT's XML as instances: polygons, painted masks, ellipses, boxes, groups.

Format: https://docs.cvat.ai/docs/manual/advanced/xml_format/ (``rle`` of a mask: run lengths along
the rows of its box, background first; ``rotation`` in degrees, clockwise on the screen)
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from kmaskrcnn.data.formats.labelme_shapes import Shape
from kmaskrcnn.data.formats.outlines import BEYOND, Size, ellipse, usable_box, usable_polygon
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import encode

OUTLINES = ("polygon", "mask", "ellipse")
NO_MASK = "object without a mask, only its box is trained on"
CROWD = ("is_crowd", "iscrowd", "crowd")
Box = tuple[float, float, float, float]


def read_outlines(image: Element, size: Size, place: str, report: Report) -> list[Shape]:
    """The shapes below an image that outline something.

    Args:
        image: the element.
        size: (height, width) that it states.
        place: the file and the image, for messages.
        report: takes what is left out.
    """
    found = []
    for number, shape in enumerate(image):
        here = f"{place}, shape {number}"
        if shape.tag in ("tag", "box"):
            continue
        if shape.tag not in OUTLINES:
            report.add(f"shape left out, {shape.tag[:20]} outline no object", here)
        elif not shape.get("label"):
            report.add("shape left out, it has no label", here)
        elif (mask := _mask(shape, size, here, report)) is not None:
            group = None if shape.get("group_id", "0") == "0" else shape.get("group_id")
            found.append(Shape(shape.get("label", ""), mask, group, _is_crowd(shape), number))
    return found


def read_boxes(
    image: Element, size: Size, place: str, report: Report
) -> list[tuple[int, str, Box]]:
    """The boxes below an image: number, label, x1 y1 x2 y2; arguments as for ``read_outlines``."""
    found = []
    for number, shape in enumerate(image):
        here = f"{place}, shape {number}"
        if shape.tag != "box":
            continue
        if not shape.get("label"):
            report.add("shape left out, it has no label", here)
            continue
        try:
            box = usable_box(_box(shape), size, here, report, quiet=False)
        except ValueError:
            report.add("shape left out, its box lacks numbers", here)
            continue
        if box is not None:
            report.add(NO_MASK, here)
            found.append((number, shape.get("label", ""), box))
    return found


def _mask(shape: Element, size: Size, place: str, report: Report) -> Any:
    """A polygon (P, 2) or a run-length code; None with a reason in the report."""
    try:
        if shape.tag != "mask":
            return usable_polygon(_outline(shape), size, place, report)
        mask = _painted(shape, size)
    except (ValueError, OverflowError):
        report.add(f"shape left out, its {shape.tag} lacks numbers", place)
        return None
    if not mask.any():
        report.add("painted mask left out, it has no pixel", place)
        return None
    return encode(mask)


def _is_crowd(shape: Element) -> bool:
    return any(a.get("name") in CROWD and a.text == "true" for a in shape.iter("attribute"))


def _numbers(shape: Element, *keys: str) -> np.ndarray:
    values = np.array([float(shape.get(key, "nan")) for key in keys])
    if np.isnan(values).any():
        raise ValueError("a number that is none")
    return np.clip(values, -2 * BEYOND, 2 * BEYOND)


def _rotation(shape: Element) -> float:
    return float(np.deg2rad(_numbers(shape, "rotation")[0])) if shape.get("rotation") else 0.0


def _outline(shape: Element) -> np.ndarray:
    """A polygon's points, or an ellipse's."""
    if shape.tag == "ellipse":
        return ellipse(_numbers(shape, "cx", "cy"), _numbers(shape, "rx", "ry"), _rotation(shape))
    pairs = [pair.split(",") for pair in shape.get("points", "").split(";")]
    return np.array([[float(x), float(y)] for x, y in pairs])


def _box(shape: Element) -> list[float]:
    """x, y, width, height; of a turned box those of its corners."""
    left, top, right, bottom = _numbers(shape, "xtl", "ytl", "xbr", "ybr")
    half = np.array([right - left, bottom - top]) / 2
    cos, sin = abs(np.cos(_rotation(shape))), abs(np.sin(_rotation(shape)))
    reach = np.array([half[0] * cos + half[1] * sin, half[0] * sin + half[1] * cos])
    centre = np.array([left + right, top + bottom]) / 2
    return [*(centre - reach).tolist(), *(2 * reach).tolist()]


def _painted(shape: Element, size: Size) -> np.ndarray:
    """A mask's run lengths inside its box, as a bool array (H, W) of the image."""
    left, top, width, height = _numbers(shape, "left", "top", "width", "height").astype(int)
    runs = np.array(shape.get("rle", "").split(","), np.int64)
    inside = left >= 0 and top >= 0 and left + width <= size[1] and top + height <= size[0]
    if not inside or min(width, height) < 1 or runs.min() < 0 or runs.max() > width * height:
        raise ValueError("a box outside of the image, or a run that is too long")
    if runs.sum() != width * height:
        raise ValueError("runs that do not fill their box")
    mask = np.zeros(size, bool)
    crop = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(height, width)
    mask[top : top + height, left : left + width] = crop
    return mask
