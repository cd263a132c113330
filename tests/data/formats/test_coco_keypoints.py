"""COCO's keypoints: names, the half pixel, and what is refused or left out."""

import json
from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.classes import COCO_KEYPOINTS, COCO_SKELETON
from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.coco import CocoDataset
from tests.data.samples import annotation, coco_content, write_coco, write_image
from tests.shared import shared_path

PERSON = {
    "id": 1,
    "name": "person",
    "keypoints": ["nose", "left_hand", "right_hand"],
    "skeleton": [[1, 2], [1, 3]],
}
POINTS = [9, 3, 2, 5, 7, 1, 0, 0, 0]


def open_coco(folder: Path, *annotations, categories=(PERSON,)) -> CocoDataset:
    return CocoDataset(write_coco(folder, coco_content(annotations, categories=list(categories))))


def test_a_sound_file(tmp_path):
    dataset = open_coco(tmp_path, annotation(keypoints=POINTS, num_keypoints=2), annotation(id=8))
    assert dataset.keypoint_names == ("nose", "left_hand", "right_hand")
    assert dataset.keypoint_skeleton == ((0, 1), (0, 2))
    person, other = dataset[0].instances
    assert person.keypoints.tolist() == [[9.5, 3.5, 2], [5.5, 7.5, 1], [0, 0, 0]]
    assert other.keypoints is None and dataset.report.total == 0
    assert dataset.description.endswith("1 classes, 3 keypoints")


def test_files_without_keypoints_have_no_names(tmp_path):
    dataset = CocoDataset(write_coco(tmp_path, coco_content([annotation()])))
    assert dataset.keypoint_names == dataset.keypoint_skeleton == ()
    assert dataset.description.endswith("2 classes")


def test_some_categories_may_have_none(tmp_path):
    dataset = open_coco(
        tmp_path,
        annotation(keypoints=POINTS),
        annotation(id=8, category_id=5),
        categories=[PERSON, {"id": 5, "name": "dog"}],
    )
    assert len(dataset.keypoint_names) == 3
    assert [i.keypoints is None for i in dataset[0].instances] == [False, True]


def test_categories_that_differ_lead_to_none_and_a_line(tmp_path):
    dog = {**PERSON, "id": 5, "name": "dog", "keypoints": ["nose", "tail"]}
    dataset = open_coco(tmp_path, annotation(keypoints=POINTS), categories=[PERSON, dog])
    assert dataset.keypoint_names == () and dataset[0].instances[0].keypoints is None
    assert "the categories name different ones" in str(dataset.report)
    same = open_coco(
        tmp_path, annotation(), categories=[PERSON, {**PERSON, "id": 5, "name": "ape"}]
    )
    assert len(same.keypoint_names) == 3


def test_keypoints_that_no_category_names_are_left_out(tmp_path):
    dataset = open_coco(
        tmp_path, annotation(keypoints=POINTS), categories=[{"id": 1, "name": "person"}]
    )
    assert dataset[0].instances[0].keypoints is None
    assert "keypoints left out, the categories do not name them" in str(dataset.report)
    assert "annotation 7" in str(dataset.report)


def test_bones_that_join_nothing_are_left_out(tmp_path):
    bones = [[1, 2], [0, 1], [2, 4], [1, 2, 3], "12", [1.5, 2]]
    dataset = open_coco(tmp_path, annotation(), categories=[{**PERSON, "skeleton": bones}])
    assert dataset.keypoint_skeleton == ((0, 1),)
    assert "bone left out, it does not join two of keypoints 1 … 3" in str(dataset.report)


def test_a_coordinate_that_is_no_number_is_left_out(tmp_path):
    points = [float("nan"), 3, 2, *POINTS[3:]]
    dataset = open_coco(tmp_path, annotation(keypoints=points))
    assert dataset[0].instances[0].keypoints.tolist() == [[0, 0, 0], [5.5, 7.5, 1], [0, 0, 0]]
    assert "a coordinate is not a finite number" in str(dataset.report)


REFUSED = {
    "two numbers less": (POINTS[:-2], "'keypoints' has 7 numbers, expected 9"),
    "pairs": ([[9, 3], [5, 7], [0, 0]], "'keypoints' has 6 numbers, expected 9"),
    "words": (["a"] * 9, "'keypoints' is not a list of numbers"),
    "visibility": ([9, 3, 5, *POINTS[3:]], "visibility is .*5.* expected 0"),
}


@pytest.mark.parametrize("points, message", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path, points, message):
    with pytest.raises(DataError, match=rf"instances\.json, annotation 7: .*{message}"):
        open_coco(tmp_path, annotation(keypoints=points))


def test_images_are_found_beside_the_usual_file_name(tmp_path):
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps(coco_content([annotation(keypoints=POINTS)], categories=[PERSON])))
    write_image(tmp_path / "val2017" / "1.png")
    assert load(path)[0].image == tmp_path / "val2017" / "1.png"


def test_a_real_file():
    path = shared_path("datasets/coco_keypoints60/person_keypoints.json")
    dataset = load(path)
    assert (dataset.keypoint_names, dataset.keypoint_skeleton) == (COCO_KEYPOINTS, COCO_SKELETON)
    raw = {a["id"]: a for a in json.loads(path.read_text())["annotations"]}
    found = {i.annotation_id: i for s in map(dataset.__getitem__, range(60)) for i in s.instances}
    assert len(found) == len(raw) == 240 and dataset.report.total == 0
    for number, instance in found.items():
        expected = np.reshape(raw[number]["keypoints"], (17, 3))
        assert (instance.keypoints[:, 2] > 0).sum() == raw[number]["num_keypoints"]
        labelled = expected[:, 2] > 0
        back = instance.keypoints[labelled] - [0.5, 0.5, 0]
        np.testing.assert_array_equal(back, expected[labelled])
