"""The protocol, names instead of numbers, and counting."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Dataset, Instance, Report, Sample, ShapesDataset, align
from kmaskrcnn.data.dataset import count_classes, keypoint_names_of, side_by_side
from tests.data.samples import ListDataset

IMAGE = np.zeros((8, 8, 3), np.uint8)


def dataset(*labels, class_names=("a", "b")) -> ListDataset:
    instances = [Instance(label, box=(0, 0, 4, 4)) for label in labels]
    return ListDataset([Sample(IMAGE, instances), Sample(IMAGE)], class_names)


def test_ten_lines_are_a_dataset():
    assert isinstance(dataset(), Dataset) and isinstance(ShapesDataset(1), Dataset)
    assert not isinstance([], Dataset)


def test_labels_are_turned_by_name():
    aligned = align(dataset(0, 1, 1), ("b", "c", "a"))
    assert [i.label for i in aligned[0].instances] == [2, 0, 0]
    assert tuple(aligned.class_names) == ("b", "c", "a") and len(aligned) == 2
    assert count_classes(aligned)[0] == [2, 0, 1]


def test_the_same_names_are_the_same_dataset():
    data = dataset(0)
    assert align(data, ["a", "b"]) is data


def test_category_ids_and_descriptions_follow():
    data = dataset(0)
    data.category_ids, data.report, data.description = (4, 9), Report(), "found"
    aligned = align(data, ("b", "a"))
    assert aligned.category_ids == (9, 4)
    assert aligned.report is data.report and aligned.description == "found"
    assert not hasattr(align(dataset(0), ("b", "a")), "report")


def test_keypoints_follow():
    data = dataset(0)
    assert keypoint_names_of(data) == keypoint_names_of(align(data, ("b", "a"))) == ()
    points = np.array([[1, 2, 2], [0, 0, 0]])
    data = ListDataset([Sample(IMAGE, [Instance(0, box=(0, 0, 4, 4), keypoints=points)])])
    data.keypoint_names, data.keypoint_skeleton = ["left_ear", "right_ear"], [(0, 1)]
    aligned = align(data, ("b", "a"))
    assert keypoint_names_of(aligned) == ("left_ear", "right_ear")
    assert aligned.keypoint_skeleton == [(0, 1)]
    assert aligned[0].instances[0].keypoints is points and aligned[0].instances[0].label == 1


def test_foreign_classes_are_shown_side_by_side():
    with pytest.raises(DataError) as caught:
        align(dataset(0), ("b", "c", "d"))
    text = str(caught.value)
    assert "3 expected, 2 given" in text
    assert [line.split() for line in text.splitlines()[2:5]] == [
        ["b", "a", "←", "unknown"],
        ["c", "b"],
        ["d", "–"],
    ]


def test_longer_lists_are_shown_whole():
    rows = [line.split() for line in side_by_side(["a"], ["a", "b"]).splitlines()]
    assert rows[2:4] == [["a", "a"], ["–", "b", "←", "unknown"]]


def test_counting_reads_at_most_so_many():
    data = ListDataset([Sample(IMAGE, [Instance(1)])] * 30)
    assert count_classes(data, limit=10) == ([0, 10], 10)
    assert count_classes(data) == ([0, 30], 30)


def test_a_label_beyond_the_names_is_refused():
    with pytest.raises(DataError, match="sample 0: label 2 .* 2 class names"):
        count_classes(dataset(2))


def test_reports_count_each_place_once():
    report = Report()
    for place in ("x", "y", "x", "z", "w"):
        report.add("left out", place)
    report.add("mended", "x")
    assert report.counts == {"left out": 4, "mended": 1} and report.total == 5
    assert report.lines() == ["4 × left out: x; y; z …", "1 × mended: x"]
    assert str(Report()) == "nothing mended, nothing left out"


def test_a_report_is_saved_whole(tmp_path):
    report = Report()
    report.save(tmp_path / "none.txt")
    assert (tmp_path / "none.txt").read_text() == "nothing mended, nothing left out\n"
    for number in range(20):
        report.add("left out", f"annotation {number}")
    report.save(tmp_path / "new" / "report.txt")
    lines = (tmp_path / "new" / "report.txt").read_text().splitlines()
    assert lines[0] == "20 × left out" and lines[1:21] == [f"    annotation {n}" for n in range(20)]
