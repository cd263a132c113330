"""The look at the data before a training."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, Report, Sample, ShapesDataset, check
from tests.data.samples import ListDataset

IMAGE = np.zeros((8, 8, 3), np.uint8)


def dataset(*labels, class_names=("deer", "otter")) -> ListDataset:
    return ListDataset([Sample(IMAGE, [Instance(label) for label in labels])], class_names)


def test_the_class_table():
    found = check(dataset(0, 0, 1), dataset(0, class_names=("otter",)))
    assert found.train == (2, 1) and found.validation == (0, 1)
    rows = [line.split() for line in found.text.splitlines()]
    assert rows[-3:] == [["class", "train", "validation"], ["deer", "2", "0"], ["otter", "1", "1"]]
    assert str(found) == found.text


def test_without_validation_there_is_no_column():
    assert check(dataset(0, 1)).validation is None
    assert "validation" not in check(dataset(0, 1)).text


def test_what_was_mended_and_classes_without_objects_are_said():
    data = dataset(0)
    data.report = Report()
    data.report.add("box left out", "a.json, annotation 7")
    data.description = "the description"
    text = check(data).text
    assert "train: the description" in text
    assert "  1 × box left out: a.json, annotation 7" in text
    assert "no object of class 'otter' to train on" in text


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_class_list_that_does_not_fit(part):
    names = ("otter", "deer", "tiger")
    odd = dataset(0, class_names=("deer", "Tiger"))
    parts = {"train": dataset(0, 1), "validation": dataset(0), part: odd}
    with pytest.raises(DataError, match=rf"{part}: the classes of the data do not fit") as caught:
        check(**parts, class_names=names)
    rows = [line.split() for line in str(caught.value).splitlines()]
    assert ["deer", "Tiger", "←", "unknown"] in rows and ["otter", "deer"] in rows


def test_keypoints_that_do_not_fit():
    named, plain = dataset(0), dataset(0)
    named.keypoint_names = ("nose", "tail")
    check(named, named, keypoint_names=["nose", "tail"])
    check(named, plain)
    with pytest.raises(DataError, match="validation: the keypoints .* do not fit") as caught:
        check(named, plain, keypoint_names=("nose", "tail"))
    assert "expected 2: nose, tail" in str(caught.value) and "0: none" in str(caught.value)
    with pytest.raises(DataError, match="train: the keypoints"):
        check(named, keypoint_names=("tail", "nose"))


def test_nothing_to_train_on():
    with pytest.raises(DataError, match="train: 1 images without a single object"):
        check(dataset())
    with pytest.raises(DataError, match="train: the dataset is empty"):
        check(ListDataset([]))
    with pytest.raises(DataError, match="validation: the dataset is empty"):
        check(dataset(0), ListDataset([]))


def test_large_datasets_are_sampled_and_this_is_said():
    text = check(ListDataset([dataset(0)[0]] * 2500, ("a",))).text
    assert "(objects counted in 2000 of the images)" in text


def test_the_drawn_dataset():
    assert sum(check(ShapesDataset(20)).train) > 20
