"""One PNG an image whose values are the numbers of its objects, and a table of their classes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.instance_ids import TABLE
from kmaskrcnn.data.writing.photographs import Photographs
from kmaskrcnn.data.writing.samples import Job, place_of, to_region
from kmaskrcnn.ops.regions import Region

MAX_OBJECTS = 2**16 - 1  # of an image: as many numbers as a pixel can have


def write_png(job: Job, folder: Path) -> None:
    """``images/``, ``masks/`` and in it ``classes.json``; of several parts in a folder each.

    A pixel has one number. Where objects overlap the smaller one is seen, and those that lose
    pixels are counted.
    """
    for part in job.parts:
        home = folder / part
        photographs = Photographs(home / "images", job.images)
        (home / "masks").mkdir(parents=True)
        objects: dict[str, list[str]] = {}
        crowds: dict[str, list[int]] = {}
        for index, sample in enumerate(job.samples(part)):
            stem = Path(photographs.put(sample, index)).stem
            instances = sample.instances
            objects[stem] = [job.class_names[i.label] for i in instances]
            if any(i.crowd for i in instances):
                crowds[stem] = [number for number, i in enumerate(instances, 1) if i.crowd]
            encoded = cv2.imencode(".png", _paint(job, sample))[1]
            (home / "masks" / f"{stem}.png").write_bytes(encoded.tobytes())
        table = {"class_names": job.class_names, "objects": objects, "crowds": crowds}
        (home / "masks" / TABLE).write_text(json.dumps(table, ensure_ascii=False), "utf-8")


def _paint(job: Job, sample: Sample) -> np.ndarray:
    """(H, W) uint16: the number of the object that is seen, counted from 1, or 0."""
    size, instances = sample.true_size(), sample.instances
    if len(instances) > MAX_OBJECTS:
        raise DataError(f"{sample.name}: {len(instances)} objects; a PNG numbers {MAX_OBJECTS}.")
    regions = [to_region(i, size, place_of(sample, i)) for i in instances]
    values = np.zeros(size, np.uint16)
    for number in sorted(range(len(regions)), key=lambda n: -regions[n].area):
        _window(values, regions[number])[regions[number].crop] = number + 1
    for number, (instance, region) in enumerate(zip(instances, regions, strict=True), 1):
        seen = int(np.count_nonzero(_window(values, region)[region.crop] == number))
        if not seen:
            why = "others cover it" if region.area else "it has no pixel in the image"
            job.lose(f"object left out, {why}", sample, instance)
        elif seen < region.area:
            job.lose("object without the pixels that a smaller one covers", sample, instance)
        if instance.mask is None:
            job.lose("box filled as if it were a mask", sample, instance)
    return values


def _window(values: np.ndarray, region: Region) -> np.ndarray:
    left, top, right, bottom = region.window
    return values[top:bottom, left:right]
