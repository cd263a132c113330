"""A function between a dataset and its reader."""

from dataclasses import replace

import pytest

from kmaskrcnn import data
from kmaskrcnn.data.dataset import count_classes
from tests.data.compose.rows import dataset, rows


def without_objects(sample):
    return replace(sample, instances=[])


def test_every_sample_is_changed_and_counted_anew():
    plain = dataset([0], [1, 2])
    plain.category_ids, plain.class_counts = (1, 2, 3, 4), lambda: [1, 1, 1, 0]
    mapped = data.map(plain, without_objects)
    assert rows(mapped) == [[], []] and isinstance(mapped, data.Dataset)
    assert mapped.category_ids == (1, 2, 3, 4) and count_classes(mapped) == ([0] * 4, 2)
    assert mapped.description == "without_objects of: ListDataset"


def test_a_function_that_fails_is_named_with_the_image():
    with pytest.raises(data.DataError, match="image 1: <lambda> raised ZeroDivisionError"):
        data.map(dataset([0], [0]), lambda sample: 1 / 0)[1]
    with pytest.raises(data.DataError, match="image 0: <lambda> returned NoneType, expected"):
        data.map(dataset([0]), lambda sample: None)[0]
