"""Small images, files and datasets that the tests of the data share."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kmaskrcnn.data import InputSize, Report, Sample
from kmaskrcnn.data.augmentation.source import Source

SQUARE = [4.0, 2.0, 14.0, 2.0, 14.0, 12.0, 4.0, 12.0]


class ListDataset:
    """A dataset in ten lines, as a user writes it."""

    def __init__(self, samples: Sequence[Sample], class_names: Sequence[str] = ("a", "b")) -> None:
        self.samples = list(samples)
        self.class_names = tuple(class_names)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def source_of(dataset: Any, min_size: int, max_size: int) -> Source:
    """Where the samples of a dataset are drawn from."""
    return Source(dataset, InputSize(min_size, max_size), Report())


def noise_image(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Coarse noise, (height, width, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def write_image(path: Path, height: int = 20, width: int = 30) -> Path:
    """An image file of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), noise_image(height, width))
    return path


def write_mask(path: Path, mask: np.ndarray) -> Path:
    """A PNG of an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), mask)
    return path


def annotation(**changes: Any) -> dict[str, Any]:
    """A sound COCO annotation of image 1 and category 1, with ``changes``."""
    sound = {
        "id": 7,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [4, 2, 10, 10],
        "area": 100,
        "segmentation": [SQUARE],
    }
    return {**sound, **changes}


def coco_content(annotations: Sequence[Any], **changes: Any) -> dict[str, Any]:
    """A COCO file of one image ``1.png``, 20 × 30, with ``changes`` of its keys."""
    content = {
        "images": [{"id": 1, "file_name": "1.png", "height": 20, "width": 30}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": list(annotations),
    }
    return {**content, **changes}


def write_coco(folder: Path, content: Any, name: str = "instances.json") -> Path:
    """The content as a file, and image ``1.png`` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_image(folder / "1.png")
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def full_mask(window: Sequence[int], crop: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A window and its crop as a bool array of ``size``."""
    mask = np.zeros(size, bool)
    left, top, right, bottom = window
    mask[top:bottom, left:right] = crop
    return mask
