"""COCO's other files are told apart, and the message says which to take instead."""

import json

import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.formats.coco_kinds import foreign, keys_of_first
from kmaskrcnn.data.formats.json_files import JsonFile
from tests.data.samples import annotation, coco_content, write_coco
from tests.shared import shared_path

FIXTURES = "datasets/format_fixtures_datumaro/coco_dataset/coco/annotations"
OTHERS = {
    "panoptic_val.json": "it is a panoptic file .segments_info.; use instances_val.json",
    "captions_val.json": "it is a captions file .caption.; use instances_val.json",
    "stuff_val.json": "it is a stuff file by its name.*; use instances_val.json",
    "labels_val.json": "it lists labels of whole images; use instances_val.json",
    "image_info_val.json": "it lists images without annotations .image_info.; use instances_val",
}


@pytest.mark.parametrize("name, message", OTHERS.items())
def test_other_files_name_the_one_to_use(name, message):
    path = shared_path(f"{FIXTURES}/{name}")
    for opener in (CocoDataset, load):
        with pytest.raises(DataError, match=f"not a COCO instances file: {message}"):
            opener(path)


@pytest.mark.parametrize("name", ["instances_val.json", "person_keypoints_val.json"])
def test_instances_and_keypoints_are_instances(name):
    assert foreign(JsonFile(shared_path(f"{FIXTURES}/{name}"))) is None


def test_a_test_split_lists_images_only(tmp_path):
    content = coco_content([])
    del content["annotations"]
    path = write_coco(tmp_path, content, "test.json")
    with pytest.raises(DataError, match="it lists images without annotations .*the instances file"):
        CocoDataset(path)


def test_images_without_objects_are_no_other_kind(tmp_path):
    assert foreign(JsonFile(write_coco(tmp_path, coco_content([])))) is None


def test_the_keys_of_the_first(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": [annotation(), 7], "b": [7, {}], "c": [], "d": 3}))
    top = JsonFile(path).top
    assert keys_of_first(top["a"]) == set(annotation())
    assert all(keys_of_first(top.get(key)) == set() for key in "bcde")
    path.write_bytes(b'{"a": [{"\xff": 1}]}')
    assert keys_of_first(JsonFile(path).top["a"]) == set()


def test_a_folder_of_other_files_says_so():
    path = shared_path("datasets/format_fixtures_datumaro/coco_dataset/coco_panoptic")
    with pytest.raises(DataError, match="it is a panoptic file .segments_info."):
        load(path)
