"""Datasets of which only the labels matter."""

import numpy as np

from kmaskrcnn.data import Instance, Sample
from tests.data.samples import ListDataset

IMAGE = np.zeros((8, 8, 3), np.uint8)
NAMES = ("a", "b", "c", "d")


def dataset(*rows, names=NAMES) -> ListDataset:
    """An image for each row of labels."""
    samples = [
        Sample(IMAGE, [Instance(label, box=(0, 0, 4, 4)) for label in row], image_id=number)
        for number, row in enumerate(rows)
    ]
    return ListDataset(samples, names)


def ids(part) -> list:
    """Of the images."""
    return [part[index].image_id for index in range(len(part))]


def rows(part) -> list[list[str]]:
    """The names of each image's objects."""
    samples = [part[index] for index in range(len(part))]
    return [[part.class_names[i.label] for i in sample.instances] for sample in samples]
