"""LVIS v1: no file is at hand, so these are made as its paper and lvis-api describe them."""

import pytest

from kmaskrcnn.data import load
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.formats.lvis import LvisDataset
from tests.data.samples import annotation, coco_content, write_coco, write_image


def image(number: int, part: str = "train2017", **changes) -> dict:
    sound = {
        "id": number,
        "coco_url": f"http://images.cocodataset.org/{part}/{number}.png",
        "flickr_url": "http://farm.example/1_z.jpg",
        "height": 20,
        "width": 30,
        "license": 1,
        "date_captured": "2013-11-14 16:28:13",
        "neg_category_ids": [3],
        "not_exhaustive_category_ids": [],
    }
    return {**sound, **changes}


def category(number: int, name: str, **changes) -> dict:
    sound = {
        "id": number,
        "name": name,
        "synset": f"{name}.n.01",
        "synonyms": [name],
        "def": "something",
        "frequency": "f",
        "image_count": 200,
        "instance_count": 400,
    }
    return {**sound, **changes}


CATEGORIES = [
    category(1, "aerosol_can", frequency="c", image_count=64),
    category(2, "bow_(weapon)", frequency="r", image_count=4),
    category(3, "cat"),
]


ONE = (image(1),)


def write_lvis(folder, *annotations, images=ONE, categories=CATEGORIES):
    for record in images:
        write_image(folder / "/".join(record["coco_url"].split("/")[-2:]))
    content = coco_content(annotations, images=list(images), categories=categories)
    return write_coco(folder / "annotations", content, "lvis_v1_val.json")  # and a decoy, 1.png


def test_a_sound_file(tmp_path):
    images = (image(1), image(2, "val2017", not_exhaustive_category_ids=[2, 1]))
    found = annotation(id=1)
    del found["iscrowd"]  # which LVIS does not have
    path = write_lvis(tmp_path, found, annotation(image_id=2, category_id=2), images=images)
    dataset = load(path)
    assert isinstance(dataset, LvisDataset) and dataset.report.total == 0
    assert dataset.class_names == ("aerosol_can", "bow_(weapon)", "cat")
    assert dataset.category_ids == (1, 2, 3) and dataset.frequencies == ("c", "r", "f")
    assert dataset.class_counts() == [1, 1, 0] and dataset.description.startswith("LVIS, ")
    first, second = dataset[0], dataset[1]
    assert first.image == tmp_path / "train2017" / "1.png" and first.image_id == 1
    assert second.image == tmp_path / "val2017" / "2.png" and second.size == (20, 30)
    assert (first.absent, first.incomplete) == ((2,), ())
    assert (second.absent, second.incomplete) == ((2,), (0, 1))
    assert [i.label for i in second.instances] == [1] and not second.instances[0].crowd


def test_a_folder_is_recognised(tmp_path):
    write_lvis(tmp_path, annotation())
    assert isinstance(load(tmp_path), LvisDataset)


def test_coco_is_not_lvis(tmp_path):
    dataset = load(write_coco(tmp_path, coco_content([annotation()])))
    assert type(dataset) is CocoDataset
    assert dataset[0].absent is None and dataset[0].incomplete == ()


def test_images_in_one_folder(tmp_path):
    """Of one part only, with the folder named."""
    path = write_lvis(tmp_path / "a", annotation())
    picture = write_image(tmp_path / "b" / "1.png")
    assert LvisDataset(path, tmp_path / "b")[0].image == picture


def test_a_file_name_comes_first(tmp_path):
    """LVIS v0.5, and what others write as LVIS."""
    record = image(1, file_name="COCO_val2014_1.png")
    path = write_lvis(tmp_path, annotation(), images=(record,))
    picture = write_image(tmp_path / "COCO_val2014_1.png")
    assert LvisDataset(path)[0].image == picture


@pytest.mark.parametrize(
    "count, group", [(1, "r"), (10, "r"), (11, "c"), (100, "c"), (101, "f"), (None, "r")]
)
def test_frequencies_that_are_not_said(tmp_path, count, group):
    rows = [*CATEGORIES[:2], category(3, "cat", frequency="?", image_count=count)]
    dataset = LvisDataset(write_lvis(tmp_path, annotation(category_id=3), categories=rows))
    assert dataset.frequencies == ("c", "r", group)
    counted = dataset.report.places("frequency of a class counted in this file")
    assert len(counted) == (count is None)


def test_classes_that_are_counted_in_images(tmp_path):
    images = tuple(image(n) for n in range(1, 13))
    rows = [category(1, "cat", frequency=None, image_count=None), CATEGORIES[1]]
    objects = [annotation(id=n, image_id=1) for n in range(1, 13)]
    few = LvisDataset(write_lvis(tmp_path / "a", *objects, images=images, categories=rows))
    objects = [annotation(id=n, image_id=n) for n in range(1, 13)]
    more = LvisDataset(write_lvis(tmp_path / "b", *objects, images=images, categories=rows))
    assert (few.frequencies[0], more.frequencies[0]) == ("r", "c")


def test_unknown_ids_and_unusual_types(tmp_path):
    """As a rule ids are numbers; text is matched, and what is no category is nobody's."""
    record = image(1, neg_category_ids=["3", 99, None, [1]], not_exhaustive_category_ids="none")
    dataset = LvisDataset(write_lvis(tmp_path, annotation(), images=(record,)))
    assert (dataset[0].absent, dataset[0].incomplete) == ((2,), ())
