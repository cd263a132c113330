"""What is asked of an image before it is read: the labels of its objects, and its size.

A dataset that knows them answers; of others the sample is asked for, and at most a file's header.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kmaskrcnn.data.dataset import Dataset, checked_label, get_sample
from kmaskrcnn.data.headers import look_at


def labels_of_image(dataset: Dataset, index: int) -> list[int]:
    """The labels of an image's objects.

    Raises:
        DataError: a label that is no index of the class names, a sample that cannot be had.
    """
    if hasattr(dataset, "image_labels"):
        return list(dataset.image_labels(index))
    count = len(dataset.class_names)
    instances = get_sample(dataset, index).instances
    return [checked_label(instance, count, f"sample {index}") for instance in instances]


def labels_of(dataset: Dataset) -> list[list[int]]:
    """The labels of each image's objects; see ``labels_of_image``."""
    return [labels_of_image(dataset, index) for index in range(len(dataset))]


def size_of_image(dataset: Dataset, index: int) -> tuple[int, int]:
    """(height, width) as the annotation says, the array is or the header says; else (0, 0).

    Raises:
        DataError: a sample that cannot be had.
    """
    known = dataset.image_size(index) if hasattr(dataset, "image_size") else None
    if known is not None:
        return known
    sample = get_sample(dataset, index)
    if sample.size is not None:
        return sample.size
    if isinstance(sample.image, np.ndarray):
        return sample.image.shape[0], sample.image.shape[1]
    header = look_at(Path(sample.image))
    return (0, 0) if header is None or header.size is None else header.size
