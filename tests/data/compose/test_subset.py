"""Parts of a dataset: what they pass on."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Dataset, Report, Subset
from kmaskrcnn.data.dataset import count_classes
from tests.data.compose.rows import NAMES, dataset, ids


def test_a_subset_is_a_dataset():
    part = Subset(dataset([0], [1, 1], [2]), [2, 1])
    assert isinstance(part, Dataset) and ids(part) == [2, 1] and len(part) == 2
    assert part.class_names == NAMES and count_classes(part) == ([0, 2, 1, 0], 2)
    assert part.description == "2 of 3 images of: ListDataset"


def test_a_subset_passes_on_what_the_dataset_knows():
    data = dataset([0])
    data.category_ids, data.report, data.keypoint_names = (4, 9, 2, 1), Report(), ("nose",)
    part = Subset(data, [0], "mine")
    assert part.category_ids == (4, 9, 2, 1) and part.report is data.report
    assert part.keypoint_names == ("nose",) and part.description == "mine"
    assert not hasattr(part, "keypoint_skeleton")
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        part.colour  # noqa: B018


@pytest.mark.parametrize("index", [3, -1])
def test_a_subset_of_images_that_are_not_there(index):
    with pytest.raises(DataError, match=f"index {index} of a subset: the dataset has the images 0"):
        Subset(dataset([0], [0], [0]), [0, index])


def test_a_part_of_repeated_images_repeats_them():
    data = dataset([0], [1], [2])
    assert not hasattr(Subset(data, [0]), "repeats")
    data.repeats = np.array([1.0, 2.5, 3.0])
    assert Subset(data, [2, 1]).repeats.tolist() == [3.0, 2.5]
