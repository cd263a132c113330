"""LabelMe: one JSON an image, polygons as polygons and other masks painted.

Format: https://github.com/wkentaro/labelme (shapes of version 5)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.writing.photographs import Photographs
from kmaskrcnn.data.writing.samples import Job, place_of, polygons_of, to_region
from kmaskrcnn.detections.labelme import VERSION
from kmaskrcnn.ops.regions import Region


def write_labelme(job: Job, folder: Path) -> None:
    """A JSON beside each image, and ``labels.txt``; of several parts in a folder each.

    Polygons of one object share a ``group_id``; a crowd has the flag ``crowd``.
    """
    for part in job.parts:
        photographs = Photographs(folder / part, job.images)
        (folder / part).mkdir(exist_ok=True)
        for index, sample in enumerate(job.samples(part)):
            name = photographs.put(sample, index)
            text = json.dumps(_content(job, sample, name), ensure_ascii=False, indent=1)
            (folder / part / name).with_suffix(".json").write_text(text, encoding="utf-8")
        lines = ["__ignore__", *job.class_names, ""]
        (folder / part / "labels.txt").write_text("\n".join(lines), encoding="utf-8")


def _content(job: Job, sample: Sample, name: str) -> dict[str, Any]:
    height, width = sample.true_size()
    shapes = []
    for number, instance in enumerate(sample.instances, 1):
        common: dict[str, Any] = {
            "label": job.class_names[instance.label],
            "group_id": None,
            "flags": {"crowd": True} if instance.crowd else {},
        }
        place = place_of(sample, instance)
        outlines = _outlines(instance, (height, width), place)
        if len(outlines) > 1:
            common["group_id"] = number
        shapes += [common | outline for outline in outlines]
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def _outlines(instance: Instance, size: tuple[int, int], place: str) -> list[dict[str, Any]]:
    """What of a shape tells an object's pixels: its polygons, its box, or a painting."""
    polygons = polygons_of(instance)
    if polygons is not None:
        return [{"shape_type": "polygon", "points": each.tolist()} for each in polygons]
    if instance.mask is None and instance.box is not None:
        corners = np.asarray(instance.box, np.float64).reshape(2, 2).tolist()
        return [{"shape_type": "rectangle", "points": corners}]
    region = to_region(instance, size, place)
    return [_painted(region)] if region.area else []


def _painted(region: Region) -> dict[str, Any]:
    """A PNG between two corner pixels, the second of which is the last one inside."""
    left, top, right, bottom = region.window
    png = cv2.imencode(".png", region.crop.astype(np.uint8) * 255)[1].tobytes()
    corners: Sequence[Sequence[int]] = [[left, top], [right - 1, bottom - 1]]
    return {"shape_type": "mask", "points": corners, "mask": base64.b64encode(png).decode()}
