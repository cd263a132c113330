"""A dataset in two parts: every class is dealt to both."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, ShapesDataset, load, split
from tests.data.compose.rows import dataset
from tests.shared import shared_path


def classes(part) -> set:
    return {label for label, count in enumerate(part.class_counts()) if count}


def test_a_split_deals_each_image_once_and_the_same_for_the_same_seed():
    data = ShapesDataset(40, image_size=(32, 32))
    train, val = split(data, 0.25, seed=3)
    assert sorted(train.indices + val.indices) == list(range(40))
    assert list(train.indices) == sorted(train.indices)
    assert split(data, 0.25, seed=3)[1].indices == val.indices
    assert split(data, 0.25, seed=4)[1].indices != val.indices
    assert 8 <= len(val) <= 12


def test_each_class_keeps_its_share():
    rows = [[0]] * 80 + [[1]] * 20 + [[2]] * 10 + [[]] * 20
    train, val = split(dataset(*rows), 0.2, seed=1)
    assert val.class_counts() == [16, 4, 2, 0] and train.class_counts() == [64, 16, 8, 0]
    assert len(val) == 26
    assert "26 of 130 images (split 0.2, seed 1)" in val.description


@pytest.mark.parametrize("seed", range(10))
def test_every_class_of_two_images_is_in_both_parts(seed):
    """Rare classes hide on images of common ones, and one has a single image."""
    rows = [[0]] * 12 + [[0, 1], [0, 1, 2], [2], [2, 0], [3]]
    train, val = split(dataset(*rows), 0.1, seed)
    assert classes(train) >= {0, 1, 2} and classes(val) >= {0, 1, 2}
    assert 3 in classes(train)


@pytest.mark.parametrize("seed", range(10))
def test_a_class_is_not_used_up_by_others(seed):
    """Both images of class 2 are dealt on behalf of other classes."""
    train, val = split(dataset([0], [0, 2], [1, 2], [1]), 0.5, seed)
    assert classes(train) == classes(val) == {0, 1, 2}


def test_every_class_finds_its_place_where_many_share_images():
    """200 random datasets of classes on two or three images each."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = [set() for _ in range(14)]
        for label in range(4):
            for index in rng.choice(14, rng.integers(2, 4), replace=False):
                rows[index].add(label)
        train, val = split(dataset(*map(sorted, rows)), 0.2, seed)
        assert classes(train) == classes(val) == {0, 1, 2, 3}


def test_a_class_of_one_image_is_trained_on():
    assert 3 in classes(split(dataset([0], [0], [0], [3]), 0.7)[0])


@pytest.mark.parametrize("rows", [([0], [0]), ([], []), ([0, 1], [0, 1]), ([0], [1])])
def test_two_images_are_one_and_one(rows):
    train, val = split(dataset(*rows), 0.01)
    assert len(train) == len(val) == 1


def test_what_cannot_be_split():
    with pytest.raises(DataError, match="1 images cannot be split; two are needed"):
        split(dataset([0]), 0.5)
    for fraction in (0, 1, -0.2, 20):
        with pytest.raises(ValueError, match="share of images to validate with, between 0 and 1"):
            split(dataset([0], [0]), fraction)


def test_eighteen_photographs():
    train, val = split(load(shared_path("datasets/fruits_nuts")), 0.2)
    assert len(val) in (3, 4, 5) and classes(train) == classes(val) == {0, 1, 2}
    whole = [a + b for a, b in zip(train.class_counts(), val.class_counts(), strict=True)]
    assert sorted(whole) == [41, 53, 71]
