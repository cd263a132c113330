"""Labels of YOLO for segmentation: a text file an image, a line an object.

Format: https://docs.ultralytics.com/datasets/segment/ (``class x1 y1 x2 y2 …``, points as shares of
the image's width and height)
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.writing.photographs import Photographs
from kmaskrcnn.data.writing.samples import Job, Size, place_of, polygons_of, to_region
from kmaskrcnn.ops.outlines import join_rings, to_cut_polygons


def write_yolo(job: Job, folder: Path) -> None:
    """``data.yaml``, ``images/`` and ``labels/``, the last two with a folder a part.

    An object is one ring of points: several polygons are joined by lines that are passed twice, as
    Ultralytics' own converter of COCO does, and holes are cut open in the same way. Crowds have
    no place in these files; they are left out and counted.
    """
    for part in job.parts:
        labels = folder / "labels" / part
        labels.mkdir(parents=True)
        photographs = Photographs(folder / "images" / part, job.images, upright=True)
        for index, sample in enumerate(job.samples(part)):
            name = photographs.put(sample, index)
            lines = _lines(job, sample)
            (labels / name).with_suffix(".txt").write_text("".join(lines), encoding="utf-8")
    parts = [f"{part or 'train'}: images/{part}\n" for part in job.parts]
    names = [
        f"  {label}: {json.dumps(name, ensure_ascii=False)}\n"
        for label, name in enumerate(job.class_names)
    ]
    (folder / "data.yaml").write_text("".join([*parts, "names:\n", *names]), encoding="utf-8")


def _lines(job: Job, sample: Sample) -> list[str]:
    size = sample.true_size()
    lines = []
    for instance in sample.instances:
        if instance.crowd:
            job.lose("crowd left out, YOLO has none", sample, instance)
            continue
        if instance.mask is None:
            job.lose("box written as the outline of a rectangle", sample, instance)
        ring = _ring(instance, size, place_of(sample, instance))
        if len(ring) < 3:
            job.lose("object left out, it has no pixel in the image", sample, instance)
            continue
        shares = np.clip(ring / size[::-1], 0, 1).reshape(-1)
        lines.append(" ".join([str(int(instance.label)), *(f"{v:.6g}" for v in shares)]) + "\n")
    return lines


def _ring(instance: Instance, size: Size, place: str) -> np.ndarray:
    """The object's points (P, 2): those of its polygon, or around its pixels."""
    polygons = polygons_of(instance)
    if polygons is not None and not _overlap(polygons) and _is_inside(polygons, size):
        return join_rings(polygons)
    parts = to_cut_polygons(to_region(instance, size, place))
    return join_rings(parts) if parts else np.zeros((0, 2))


def _is_inside(polygons: list[np.ndarray], size: Size) -> bool:
    points = np.concatenate(polygons)
    return bool((points >= 0).all() and (points <= size[::-1]).all())


def _overlap(polygons: list[np.ndarray]) -> bool:
    """Whether boxes of polygons do: joined to one ring, what lies in two of them would be free."""
    boxes = [(*polygon.min(0), *polygon.max(0)) for polygon in polygons]
    return any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for number, a in enumerate(boxes)
        for b in boxes[:number]
    )
