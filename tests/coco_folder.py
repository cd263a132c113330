"""Writes a dataset of arrays as COCO files, so that tests can walk the way a user walks."""

import json
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_masks

from kmaskrcnn.data import Dataset


def write_coco(dataset: Dataset, folder: Path, name: str) -> Path:
    """``folder/name.json`` and its images ``folder/name/0000.png`` …, beside it.

    Args:
        dataset: its images are arrays and its masks bool arrays, as `ShapesDataset` gives them.
    """
    (folder / name).mkdir(parents=True)
    content = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": c} for i, c in enumerate(dataset.class_names)],
    }
    for index in range(len(dataset)):
        sample = dataset[index]
        image = np.asarray(sample.image)
        file = f"{name}/{index:04}.png"
        cv2.imwrite(str(folder / file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        height, width = image.shape[:2]
        content["images"].append(
            {"id": index + 1, "file_name": file, "height": height, "width": width}
        )
        for instance in sample.instances:
            number = len(content["annotations"]) + 1
            content["annotations"].append(annotation(instance, number, index + 1))
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def annotation(instance, number: int, image_id: int) -> dict:
    """One object as a COCO annotation with a compressed run-length mask."""
    code = coco_masks.encode(np.asfortranarray(instance.mask, dtype=np.uint8))
    return {
        "id": number,
        "image_id": image_id,
        "category_id": instance.label + 1,
        "bbox": [float(v) for v in coco_masks.toBbox(code)],
        "area": float(coco_masks.area(code)),
        "iscrowd": 0,
        "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
    }
