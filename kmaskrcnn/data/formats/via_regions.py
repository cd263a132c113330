"""The regions of VIA: what they outline, and which of their attributes is the class.

Shapes: https://www.robots.ox.ac.uk/~vgg/software/via/ (polygon, rect, circle, ellipse; ``theta`` in
radians, clockwise on the screen)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kmaskrcnn.data.formats.outlines import BEYOND, ellipse, usable_polygon
from kmaskrcnn.data.report import Report

USUAL_NAMES = ("class", "label", "category", "type", "name", "object")
NO_AREA = ("polyline", "line", "point")


def outline(shape: Any, place: str, report: Report) -> np.ndarray | None:
    """The polygon (P, 2) of ``shape_attributes``; None with a reason in the report."""
    name = shape.get("name") if isinstance(shape, Mapping) else None
    if name in NO_AREA:
        report.add(f"region left out, a {name} has no area", place)
        return None
    try:
        points = _points(str(name), shape)
    except (KeyError, TypeError, ValueError, OverflowError):
        report.add(f"region left out, its {str(name)[:20]} lacks numbers", place)
        return None
    if points is None:
        report.add(f"region left out, of an unknown shape {str(name)[:20]!r}", place)
        return None
    return usable_polygon(points, None, place, report)


def _points(name: str, shape: Mapping[str, Any]) -> np.ndarray | None:
    if name == "polygon":
        return np.stack([_numbers(shape["all_points_x"]), _numbers(shape["all_points_y"])], axis=1)
    if name == "rect":
        x, y, width, height = _numbers([shape[key] for key in ("x", "y", "width", "height")])
        return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    if name not in ("circle", "ellipse"):
        return None
    radii = ("r", "r") if name == "circle" else ("rx", "ry")
    centre, radius = _numbers([shape[k] for k in ("cx", "cy")]), _numbers([shape[k] for k in radii])
    return ellipse(centre, radius, _numbers([shape.get("theta") or 0])[0])


def _numbers(values: Any) -> np.ndarray:
    """Numbers out of a file, those beyond all pixels brought to where they are known as such."""
    return np.clip(np.asarray(values, np.float64).reshape(-1), -2 * BEYOND, 2 * BEYOND)


def class_of(region: Mapping[str, Any], attribute: str) -> list[str]:
    """What a region says under an attribute: one text, or the boxes that are ticked."""
    attributes = region.get("region_attributes")
    value = attributes.get(attribute) if isinstance(attributes, Mapping) else None
    if isinstance(value, Mapping):
        return [str(name) for name, ticked in value.items() if ticked]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return []
    return [str(value).strip()] if str(value).strip() else []


def choose_attribute(regions: Iterable[Mapping[str, Any]]) -> str | None:
    """The attribute that is the class: the one that most regions have; of those, one that is called
    like it, else the first. None where no region has any."""
    counts: Counter[str] = Counter()
    for region in regions:
        attributes = region.get("region_attributes")
        for name in attributes if isinstance(attributes, Mapping) else ():
            counts[name] += bool(class_of(region, name))
    most = max(counts.values(), default=0)
    full = [name for name, count in counts.items() if count == most > 0]
    usual = sorted((n for n in full if n.lower() in USUAL_NAMES), key=_rank)
    return next(iter([*usual, *full]), None)


def _rank(name: str) -> int:
    return USUAL_NAMES.index(name.lower())
