"""Every folder of real data: as many images, objects, crowds and classes as its SOURCE.txt says.

What a SOURCE.txt counts and the folder does not hold, or holds without outlines, stands in the
table below, so that the sums come out.
"""

import ast
import json
import re
from typing import NamedTuple

import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.load import open_unchecked
from tests.shared import shared_path


class Counts(NamedTuple):
    """Of a dataset; ``classes`` holds those that have an object."""

    images: int
    objects: int
    crowds: int
    classes: dict[str, int]


def stated(folder):
    """What SOURCE.txt says; it lists the twelve most frequent classes, and how many there are."""
    text = (shared_path("datasets") / folder / "SOURCE.txt").read_text()
    images = int(re.search(r"^images +: (\d+)", text, re.MULTILINE)[1])
    objects, crowds = re.search(r"^instances +: (\d+) .*crowd (\d+)", text, re.MULTILINE).groups()
    number, listed = re.search(r"^classes +: (\d+) (\{.*\})", text, re.MULTILINE).groups()
    return Counts(images, int(objects), int(crowds), ast.literal_eval(listed)), int(number)


def count(path, **options):
    """Counted object by object, and beside it by ``class_counts``."""
    dataset = load(shared_path("datasets") / path, **options)
    samples = [dataset[index] for index in range(len(dataset))]
    instances = [instance for sample in samples for instance in sample.instances]
    names = [dataset.class_names[instance.label] for instance in instances]
    classes = {name: names.count(name) for name in dataset.class_names if name in names}
    assert list(dataset.class_counts()) == [classes.get(name, 0) for name in dataset.class_names]
    return Counts(len(samples), len(instances), sum(i.crowd for i in instances), classes)


def total(parts):
    """The sum of several parts."""
    classes: dict[str, int] = {}
    for part in parts:
        for name, number in part.classes.items():
            classes[name] = classes.get(name, 0) + number
    return Counts(*(sum(part[i] for part in parts) for i in range(3)), classes)


# The folder, its parts as they are loaded, and what SOURCE.txt counts beside them.
NOTHING = Counts(0, 0, 0, {})
FOLDERS = {
    "animals_openimages4": (
        ["animals_openimages4#train", "animals_openimages4/valid"],
        Counts(29, 31, 0, {"deer": 12, "otter": 10, "turtle": 9}),  # the part test is not there
    ),
    "balloon": (["balloon/train", "balloon#val"], NOTHING),
    "coco_keypoints_mmpose4": (["coco_keypoints_mmpose4/test_coco.json"], NOTHING),
    "coco_openlicense": (["coco_openlicense"], NOTHING),
    "dsb2018_nuclei": (
        ["dsb2018_nuclei#train", "dsb2018_nuclei#val"],
        Counts(36, 1648, 0, {"nucleus": 1648}),  # of 166 ids 130 are there, all of them in a split
    ),
    "fruits_nuts": (["fruits_nuts"], NOTHING),
    "shapes_pycococreator": (["shapes_pycococreator"], NOTHING),
}
NAMES = {"balloon": "balloon", "dsb2018_nuclei": "nucleus"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_as_many_as_the_source_says(folder):
    parts, away = FOLDERS[folder]
    name = {"class_name": NAMES[folder]} if folder in NAMES else {}
    found = total([*(count(part, **name) for part in parts), away])
    expected, num_classes = stated(folder)
    assert found[:3] == expected[:3] and len(found.classes) == num_classes
    assert {name: found.classes[name] for name in expected.classes} == expected.classes


def test_the_same_photographs_in_another_format():
    assert count("fruits_nuts/labelme_json") == count("fruits_nuts")


def test_nuclei_without_a_split_are_all_that_are_there():
    dataset = load(shared_path("datasets/dsb2018_nuclei"))
    assert (len(dataset), dataset.class_counts()) == (130, [5933])


def test_keypoints():
    """Its SOURCE.txt states the photographs; the objects are those of its JSON."""
    path = shared_path("datasets/coco_keypoints60/person_keypoints.json")
    content = json.loads(path.read_text())
    crowds = sum(annotation["iscrowd"] for annotation in content["annotations"])
    found = count("coco_keypoints60")
    assert found == (60, len(content["annotations"]), crowds, {"person": 240}) and crowds == 6


# Its SOURCE.txt counts the values of Cityscapes' PNGs: objects by the id of their class.
CITYSCAPES = "format_fixtures_datumaro/cityscapes_dataset/train_dataset"


def test_cityscapes_of_datumaro():
    found = total([count(CITYSCAPES, split=part) for part in ("train", "val", "test")])
    assert found == (4, 4, 0, {"person": 1, "truck": 2, "train": 1})
    ids = {"24": "person", "27": "truck", "31": "train"}
    expected, _ = stated("format_fixtures_datumaro")
    left_out = {"1": 1}  # ego vehicle has no instances; the report counts it
    assert expected.classes == {i: found.classes[name] for i, name in ids.items()} | left_out
    assert expected[:3] == (found.images, found.objects + 1, 0)
    dataset = load(shared_path("datasets") / CITYSCAPES, split="val")
    assert not dataset[0].instances
    assert dataset.report.counts == {"object left out, its class is none of Cityscapes' eight": 1}


# The other formats of datumaro: images, objects and crowds of their files, counted by reading them.
FIXTURES = {
    "coco_dataset/coco#train": (1, 1, 0),
    "coco_dataset/coco#val": (1, 2, 1),
    "coco_dataset/coco_person_keypoints#train": (1, 1, 0),
    "coco_dataset/coco_person_keypoints#val": (1, 2, 1),
    "cityscapes_dataset/dataset#train": (1, 1, 1),
    "cityscapes_dataset/dataset#val": (1, 0, 0),
    "cityscapes_dataset/dataset#test": (2, 2, 2),
    "labelme_dataset": (1, 7, 0),
    "voc_dataset": (1, 1, 0),
    "cvat_dataset/for_images/export_task": (2, 1, 0),  # its polygon has no label
    "cvat_dataset/for_images/export_project#train": (2, 2, 0),
    "cvat_dataset/for_images/export_project#val": (2, 2, 0),
}


@pytest.mark.parametrize("path", FIXTURES)
def test_files_of_datumaro(path):
    assert count(f"format_fixtures_datumaro/{path}")[:3] == FIXTURES[path]


# What is not read says so, and names what is there.
REFUSED = {
    "format_fixtures_datumaro/cvat_dataset": "several annotation files",
    "format_fixtures_datumaro/mapillary_vistas_dataset": "config_v1.2.json: not a COCO instances",
    "animals_openimages4": "several annotation files",
    "balloon": "several annotation files",
    "coco_keypoints_mmpose4": "several annotation files",
    "coco_eval_vectors": "expected.json: not a COCO instances file",
    "coco_eval_vectors/cocoapi/results": "the top is a list, as in COCO results",
    "format_fixtures_datumaro/coco_dataset/coco_panoptic": "it is a panoptic file",
    "format_fixtures_datumaro/cityscapes_dataset/dataset": "several parts",
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused(path):
    with pytest.raises(DataError, match=REFUSED[path]):
        load(shared_path("datasets") / path)


TRUTHS = {  # images and objects of the ground truths for evaluation, which come without photographs
    "cocoapi/instances_val2014_100.json": (100, 839),
    "gt_dataset.json": (3, 9),
    "gt_ignore_test.json": (1, 14),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_ground_truths_without_photographs(name):
    path = shared_path("datasets/coco_eval_vectors/faster_coco_eval/dataset") / name
    with pytest.raises(DataError, match="the images are not found"):
        load(path)
    dataset = open_unchecked(path, images=path.parent)
    assert (len(dataset), sum(dataset.class_counts())) == TRUTHS[name]
