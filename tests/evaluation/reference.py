"""Datasets as other projects' evaluators take them."""

import contextlib
import io
from typing import Any

from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from kmaskrcnn.data.rle import instance_rle


def as_coco(dataset) -> dict[str, Any]:
    """A dataset as the content of a COCO file; categories count from 1."""
    images, annotations = [], []
    for index in range(len(dataset)):
        sample = dataset[index]
        height, width = sample.true_size()
        images.append({"id": sample.image_id, "height": height, "width": width})
        annotations += [
            as_annotation(i, sample.image_id, (height, width)) for i in sample.instances
        ]
    for number, annotation in enumerate(annotations, 1):
        annotation["id"] = number
    categories = [{"id": i, "name": name} for i, name in enumerate(dataset.class_names, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def as_annotation(instance, image_id, size) -> dict[str, Any]:
    """One object; its box and area are the mask's where none is stated."""
    rle = instance_rle(instance, size)
    box = coco_mask.toBbox(rle).tolist()
    if instance.box is not None:
        left, top, right, bottom = map(float, instance.box)
        box = [left, top, right - left, bottom - top]
    return {
        "image_id": image_id,
        "category_id": int(instance.label) + 1,
        "bbox": box,
        "area": float(coco_mask.area(rle)) if instance.area is None else instance.area,
        "iscrowd": int(instance.crowd),
        "segmentation": rle,
    }


def loaded(content: dict[str, Any]) -> COCO:
    """pycocotools' object, silently."""
    coco = COCO()
    coco.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco
