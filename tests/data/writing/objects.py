"""A dataset of every kind of mask, and what it is compared by after it was written and read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data import Dataset, Instance, Sample
from kmaskrcnn.data.rle import encode
from kmaskrcnn.data.writing.samples import to_region
from kmaskrcnn.ops.regions import to_rle
from tests.data.samples import ListDataset, noise_image, write_image, write_mask

SIZE = (40, 60)
CLASS_NAMES = ("Katze, groß", "dog")


def filled(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return mask


def ring(top: int, left: int) -> np.ndarray:
    """A square of 10 pixels with a hole of 4."""
    mask = filled(top, top + 10, left, left + 10)
    mask[top + 3 : top + 7, left + 3 : left + 7] = False
    return mask


def square(left: float, top: float, side: float) -> np.ndarray:
    right, bottom = left + side, top + side
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def everything(folder: Path) -> ListDataset:
    """Two photographs and an array: outlines, holes, parts, a picture without objects."""
    first = [
        Instance(0, [square(2, 2, 10)], annotation_id=1),
        Instance(1, [square(20, 3, 7.25), square(35, 5, 6)], annotation_id=2),
        Instance(1, encode(ring(25, 5)), annotation_id=3, area=70),
        Instance(0, filled(22, 38, 30, 50), annotation_id="four"),
    ]
    write_mask(folder / "b" / "1.png", noise_image(*SIZE, seed=1))
    samples = [
        Sample(write_image(folder / "a" / "1.png", *SIZE), first, 17, SIZE),
        Sample(folder / "b" / "1.png", [], 18, SIZE),
        Sample(noise_image(*SIZE, seed=2), [Instance(1, ring(5, 5))], "x/y"),
    ]
    return ListDataset(samples, CLASS_NAMES)


def one(*instances: Instance, image: np.ndarray | None = None) -> ListDataset:
    """One picture with these objects."""
    return ListDataset([Sample(noise_image(*SIZE) if image is None else image, instances, 5)])


def codes(sample: Sample) -> list:
    size = sample.true_size()
    return [to_rle(to_region(instance, size, sample.name), size) for instance in sample.instances]


def compare(before: Dataset, after: Dataset) -> float:
    """The lowest IoU of the masks; images, classes and counts must be equal."""
    assert tuple(after.class_names) == tuple(before.class_names) and len(after) == len(before)
    lowest = 1.0
    for index, sample in pairs(before, after):
        old = before[index]
        assert sample.true_size() == old.true_size()
        np.testing.assert_array_equal(sample.read(), old.read())
        labels = [[i.label for i in each.instances] for each in (old, sample)]
        assert labels[0] == labels[1]
        if labels[0]:
            overlaps = coco_mask.iou(codes(old), codes(sample), [0] * len(labels[0]))
            lowest = min(lowest, np.diag(overlaps).min())
    return lowest


def pairs(before: Dataset, after: Dataset) -> Sequence[tuple[int, Sample]]:
    """Each image of ``before`` and its twin, found by its pixels: folders have their own order."""
    pixels = {after[i].read().tobytes(): after[i] for i in range(len(after))}
    return [(i, pixels[before[i].read().tobytes()]) for i in range(len(before))]
