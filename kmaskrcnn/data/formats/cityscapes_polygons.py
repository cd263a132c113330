"""The polygons of Cityscapes, painted as its own scripts do: the later cover the earlier.

Follows cityscapesscripts/preparation/json2instanceImg.py, with the same rasteriser.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.json_files import read_json
from kmaskrcnn.data.images import refuse_gigantic
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import FAR

MAX_BYTES = 2**26
GROUP = "group"
NOT_PAINTED = "license plate"
"""The one label with a negative id: what lies behind it stays to be seen."""
LABELS = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic"),
    *("ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence"),
    *("guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan"),
    *("trailer", "train", "motorcycle", "bicycle"),
)
"""Cityscapes' labels by their ids; from person on they have instances."""
FIRST_INSTANCE = LABELS.index("person")
PER_CLASS = 1000
"""An object's number is its label's id times this, and its own number; below it stands a group."""


def paint(path: Path, report: Report) -> np.ndarray:
    """What ``*_instanceIds.png`` would hold: (H, W) int32.

    Args:
        path: the JSON.
        report: takes what was left out.

    Raises:
        DataError: no JSON of polygons, or of a gigantic image.
    """
    height, width, objects = _read(path)
    image = Image.new("I", (width, height), 0)
    draw = ImageDraw.Draw(image)
    counts: Counter[str] = Counter()
    far = FAR * np.array([width, height], np.float64)
    for number, one in enumerate(objects):
        polygon = _usable(one, f"{path}, objects[{number}]", report)
        if polygon is not None:
            points = [tuple(point) for point in np.clip(polygon, -far, far).tolist()]
            draw.polygon(points, fill=_value(one["label"], counts))
    return np.asarray(image)


def _usable(one: Any, place: str, report: Report) -> np.ndarray | None:
    """The polygon (P, 2) of an object that is painted."""
    label = one.get("label") if isinstance(one, dict) else None
    points = _points(one.get("polygon")) if isinstance(label, str) else None
    if not isinstance(label, str):
        report.add("object left out, it has no label", place)
    elif points is None:
        report.add("object left out, it is no polygon of points x, y", place)
    elif label not in (*LABELS, NOT_PAINTED) and label.removesuffix(GROUP) not in LABELS:
        report.add("object of an unknown label taken as unlabeled", f"{place}: {label!r:.40}")
    return None if points is None or label == NOT_PAINTED or one.get("deleted") else points


def _value(label: str, counts: Counter[str]) -> int:
    """What the pixels of an object hold; ``counts`` says how many of its label there were."""
    if label not in LABELS:
        group = label.removesuffix(GROUP)
        return LABELS.index(group) if group in LABELS else 0
    number = LABELS.index(label)
    if number < FIRST_INSTANCE:
        return number
    counts[label] += 1
    return PER_CLASS * number + counts[label] - 1


def _read(path: Path) -> tuple[int, int, list[Any]]:
    content = read_json(path, MAX_BYTES)
    content = content if isinstance(content, dict) else {}
    size = content.get("imgHeight"), content.get("imgWidth")
    height, width = (side if isinstance(side, int) else 0 for side in size)
    objects = content.get("objects")
    if min(height, width) < 1 or not isinstance(objects, list):
        raise DataError(
            f"{path}: expected Cityscapes' polygons: imgHeight, imgWidth and a list of objects, "
            f"found the keys {', '.join(map(str, list(content)[:8])) or 'none'}."
        )
    refuse_gigantic(str(path), (height, width))
    return height, width, objects


def _points(polygon: Any) -> np.ndarray | None:
    """(P, 2) float64, of three points or more; None where it is none."""
    try:
        points = np.asarray(polygon, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    sound = points.ndim == 2 and points.shape[1] == 2 and len(points) > 2
    return points if sound and np.isfinite(points).all() else None
