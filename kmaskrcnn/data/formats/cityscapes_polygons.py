"""The polygons of Cityscapes, painted as its own scripts do: the later cover the earlier.

Follows cityscapesscripts/preparation/json2instanceImg.py, with the same rasteriser.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
OTHER_INSTANCES = ("caravan", "trailer")
"""They have instances, too, and no place in the benchmark."""


def paint(path: Path, ids: Mapping[str, int], report: Report) -> np.ndarray:
    """What ``*_instanceIds.png`` would hold of these classes: (H, W) int32.

    Args:
        path: the JSON.
        ids: label → id; an object is its id times 1000 and its number, a group of objects its id,
            everything else 0.
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
        place = f"{path}, objects[{number}]"
        label = one.get("label") if isinstance(one, dict) else None
        if not isinstance(label, str):
            report.add("object left out, it has no label", place)
            continue
        points = _points(one.get("polygon"))
        if points is None:
            report.add("object left out, it is no polygon of points x, y", place)
            continue
        if one.get("deleted") or label == NOT_PAINTED:
            continue
        if label in OTHER_INSTANCES:
            report.add("object left out, its class is none of Cityscapes' eight", place)
        value = _value(label, ids, counts)
        draw.polygon([tuple(point) for point in np.clip(points, -far, far).tolist()], fill=value)
    return np.asarray(image)


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


def _value(label: str, ids: Mapping[str, int], counts: Counter[str]) -> int:
    if label.removesuffix(GROUP) in ids and label not in ids:
        return ids[label.removesuffix(GROUP)]
    if label not in ids:
        return 0
    counts[label] += 1
    return ids[label] * 1000 + counts[label] - 1
