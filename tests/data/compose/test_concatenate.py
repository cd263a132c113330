"""Several datasets as one: names, ids of images, keypoints and reports."""

import dataclasses

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Dataset, Report, Subset, concatenate, rename_classes
from kmaskrcnn.data.compose.concatenate import unique_ids
from kmaskrcnn.data.dataset import count_classes
from tests.data.compose.rows import dataset, ids, rows


def test_classes_are_united_by_name():
    joint = concatenate(
        dataset([0, 1], [1], names=("cat", "dog")), dataset([0], [1, 0], names=("dog", "hen"))
    )
    assert isinstance(joint, Dataset) and joint.class_names == ("cat", "dog", "hen")
    assert rows(joint) == [["cat", "dog"], ["dog"], ["dog"], ["hen", "dog"]]
    assert len(joint) == 4 and count_classes(joint) == ([1, 4, 1], 4)
    assert joint.description == "ListDataset + ListDataset"
    with pytest.raises(IndexError, match="image 4 of 4"):
        joint[4]


def test_other_words_for_the_same_are_renamed_before():
    one = dataset([0], names=("automobile",))
    joint = concatenate(dataset([0], names=("car",)), rename_classes(one, {"automobile": "car"}))
    assert joint.class_names == ("car",) and rows(joint) == [["car"], ["car"]]


def test_images_that_share_an_id_are_told_apart():
    assert ids(concatenate(dataset([], []), dataset([], [], []))) == [0, 1, 3, 4, 2]
    assert unique_ids(["a", "a", "a (2)", "a", 7, 7]) == ["a", "a (3)", "a (2)", "a (4)", 7, 8]
    without = dataset([], [])
    without.samples = [dataclasses.replace(s, image_id=None) for s in without.samples]
    assert ids(concatenate(without, dataset([]))) == [0, 1, 2]
    known = dataset([], [])
    known.image_ids = [8, 9]  # asked, and not the samples
    part = Subset(known, [1])
    assert concatenate(part, part, known).image_ids == [9, 10, 8, 11]


def test_category_ids_stay_where_they_agree():
    one, other = dataset([0], names=("cat", "dog")), dataset([0], names=("dog", "hen"))
    assert not hasattr(concatenate(one, other), "category_ids")
    one.category_ids = (17, 18)
    assert not hasattr(concatenate(one, other), "category_ids")
    other.category_ids = (18, 3)
    assert concatenate(one, other).category_ids == (17, 18, 3)
    other.category_ids = (18, 17)
    assert not hasattr(concatenate(one, other), "category_ids")
    other = dataset([0], names=("dog", "cat"))
    other.category_ids = (18, 17)
    assert concatenate(one, other).category_ids == (17, 18)
    other.category_ids = (18, 19)
    assert not hasattr(concatenate(one, other), "category_ids")


def test_frequencies_stay_where_they_agree():
    one, other = dataset([0], names=("cat", "dog")), dataset([0], names=("dog", "hen"))
    one.frequencies, other.frequencies = ("f", "c"), ("c", "c")
    assert concatenate(one, other).frequencies == ("f", "c", "c")
    other.frequencies = ("r", "c")
    assert not hasattr(concatenate(one, other), "frequencies")


def test_keypoints_must_agree():
    one, other, none = dataset([0]), dataset([0]), dataset([0])
    one.keypoint_names, one.keypoint_skeleton = ("nose", "ear"), ((0, 1),)
    joint = concatenate(none, one)
    assert joint.keypoint_names == ("nose", "ear") and joint.keypoint_skeleton == ((0, 1),)
    assert concatenate(none, none).keypoint_names == ()
    other.keypoint_names = ("ear", "nose")
    with pytest.raises(DataError, match=r"must be the same.*\n  nose, ear: .*\n  ear, nose: "):
        concatenate(one, other)


def test_one_report_of_all_parts():
    one, other, plain = dataset([0]), dataset([0]), dataset([0])
    one.report, other.report = Report(), Report()
    joint = concatenate(one, other, plain)
    one.report.add("mended", "a.json, 1")
    other.report.add("mended", "b.json, 1")
    joint.report.add("left out", "b.json, 2")
    assert joint.report.counts == {"mended": 2, "left out": 1}
    assert joint.report.places("mended") == ["a.json, 1", "b.json, 1"]
    assert other.report.counts == {"mended": 1}


def test_counts_and_repeats_of_the_parts():
    one, other = dataset([0]), dataset([0], [1])
    one.class_counts = lambda: [1, 0, 0, 0]
    assert not hasattr(concatenate(one, other), "class_counts")
    other.class_counts = lambda: [1, 1, 0, 0]
    joint = concatenate(one, other)
    assert joint.class_counts() == [2, 1, 0, 0] and not hasattr(joint, "repeats")
    other.repeats = np.array([1.5, 2.0])
    assert concatenate(one, other).repeats.tolist() == [1, 1.5, 2]


def test_nothing_to_concatenate():
    with pytest.raises(DataError, match="one dataset or more"):
        concatenate()
