"""Written and read again: the same images, classes, objects and masks; what is lost is said."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, ShapesDataset, load, read_image, write
from kmaskrcnn.data.write import WRITERS
from kmaskrcnn.ops.drawing import encode_picture
from tests.data.samples import ListDataset, noise_image
from tests.data.writing.objects import CLASS_NAMES, compare, everything, filled, one, square
from tests.shared import shared_path

MASKS = {"tfrecord": 1, "coco": 1, "png": 1, "labelme": 1, "yolo": 0.98}


@pytest.mark.parametrize("form", WRITERS)
def test_there_and_back(tmp_path, form):
    before = everything(tmp_path)
    report = write(before, tmp_path / "out", form)
    assert report.total == 0
    assert compare(before, load(tmp_path / "out")) >= MASKS[form]
    assert list(tmp_path.glob(".writing-*")) == []


@pytest.mark.parametrize("form", WRITERS)
def test_parts(tmp_path, form):
    whole = ShapesDataset(3, image_size=(48, 64), empty_share=0)
    parts = {"train": whole, "val": ShapesDataset(2, seed=1, image_size=(48, 64))}
    report = write(parts, tmp_path / "out", form)
    assert report.total == 0
    for name, part in parts.items():
        back = load(tmp_path / "out", split=name)
        assert compare(part, back) >= MASKS[form], name


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("name", ["coco_openlicense/instances.json", "dsb2018_nuclei#val"])
def test_real_data(tmp_path, form, name):
    before = load(shared_path("datasets") / name)
    samples = [before[index] for index in range(0, len(before), 12)]
    samples = [sample for sample in samples if not any(i.crowd for i in sample.instances)]
    before = ListDataset(samples, before.class_names)
    report = write(before, tmp_path / "out", form, images="link")
    after = load(tmp_path / "out")
    covered = report.counts.get("object without the pixels that a smaller one covers", 0)
    assert report.total == covered
    assert compare(before, after) >= (0 if covered else MASKS[form])


@pytest.mark.parametrize("form", WRITERS)
def test_what_is_lost_is_said(tmp_path, form):
    """Crowds, keypoints, boxes alone, overlaps: held, or counted with the object's name."""
    points = np.array([[5.0, 5, 2], [8, 8, 1]])
    dataset = one(
        Instance(0, [square(2, 2, 10)], crowd=True, annotation_id="crowd"),
        Instance(0, [square(20, 2, 10)], keypoints=points, annotation_id="points"),
        Instance(1, None, box=(2.0, 20.0, 12.0, 30.0), annotation_id="box"),
        Instance(1, filled(20, 38, 40, 58), annotation_id="large"),
        Instance(1, filled(25, 35, 45, 55), annotation_id="small", difficult=True),
    )
    dataset.samples[0] = replace(dataset[0], void=[square(0, 0, 2)], absent=[1])
    dataset.keypoint_names = ("left", "right")
    report = write(dataset, tmp_path / "out", form)
    said = {
        name: kind
        for kind in report.counts
        for name in ("crowd", "points", "box", "large", "small")
        if any(place.endswith(f"annotation {name}") for place in report.places(kind))
    }
    lost = {
        "coco": ["small"],
        "tfrecord": ["points"],
        "labelme": ["points", "small"],
        "png": ["box", "large", "points", "small"],
        "yolo": ["box", "crowd", "points", "small"],
    }
    assert sorted(said) == lost[form]
    of_image = [kind for kind in report.counts if report.places(kind) == ["image 5"]]
    assert len(of_image) == (1 if form == "coco" else 2) and "void pixels" in of_image[0]
    back = load(tmp_path / "out")[0].instances
    assert len(back) == (4 if form == "yolo" else 5)
    assert any(i.crowd for i in back) == (form != "yolo")


def test_coco_keeps_all(tmp_path):
    points = np.array([[5.0, 5, 2], [0, 0, 0]])
    sample = one(Instance(1, [square(2, 2, 10)], (2, 2, 13, 12), True, 77.5, keypoints=points))
    sample.keypoint_names, sample.keypoint_skeleton = ("left", "right"), ((0, 1),)
    sample.category_ids = (3, 90)
    write(sample, tmp_path / "out")
    after = load(tmp_path / "out")
    (found,) = after[0].instances
    assert (found.label, found.crowd, found.area, found.box) == (1, True, 77.5, (2, 2, 13, 12))
    np.testing.assert_array_equal(found.keypoints, points)
    np.testing.assert_array_equal(found.mask[0], square(2, 2, 10))
    assert after.keypoint_names == ("left", "right") and after.keypoint_skeleton == ((0, 1),)
    assert after.category_ids == (3, 90) and after[0].image_id == 5


def test_a_class_has_one_id_in_all_parts(tmp_path):
    parts = {name: one(Instance(1, [square(2, 2, 10)])) for name in ("train", "val")}
    parts["train"].category_ids, parts["val"].category_ids = (3, 90), (1, 2)
    write(parts, tmp_path / "out")
    assert [load(tmp_path / "out", split=name).category_ids for name in parts] == [(3, 90)] * 2


def test_lvis_there_and_back(tmp_path):
    dataset = one(Instance(1, [square(2, 2, 10)]))
    dataset.frequencies = ("r", "f")
    dataset.samples[0] = replace(dataset[0], absent=(0,), incomplete=(1,))
    assert write(dataset, tmp_path / "out").total == 0
    after = load(tmp_path / "out")
    assert (after[0].absent, after[0].incomplete, after.frequencies) == ((0,), (1,), ("r", "f"))


def test_images_of_one_name(tmp_path):
    write(everything(tmp_path), tmp_path / "out")
    content = json.loads((tmp_path / "out" / "instances.json").read_text())
    assert [image["file_name"] for image in content["images"]] == ["1.png", "b_1.png", "x_y.png"]


@pytest.mark.parametrize("images", ["link", "none"])
def test_images_that_stay_where_they_are(tmp_path, images):
    before = ListDataset([everything(tmp_path).samples[0]], CLASS_NAMES)
    write(before, tmp_path / "out", images=images)
    files = list((tmp_path / "out").rglob("*.png"))
    assert [f.is_symlink() for f in files] == ([True] if images == "link" else [])
    after = load(tmp_path / "out", images=None if images == "link" else tmp_path / "a")
    assert compare(before, after) == 1


def test_images_that_cannot_stay(tmp_path):
    for before, message in (
        (everything(tmp_path), "two images are called 1"),
        (one(), "image 5 has no file"),
    ):
        with pytest.raises(DataError, match=message):
            write(before, tmp_path / "out", images="none")
        assert not (tmp_path / "out").exists()


def test_a_turned_photograph(tmp_path):
    """YOLO's files say no size: whoever reads them turns a photograph as EXIF says."""
    path = tmp_path / "turned.jpg"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    tag = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    data = encode_picture(noise_image(40, 60), ".jpg")
    path.write_bytes(data[:2] + tag + data[2:])
    sample = replace(one(Instance(0, [square(40, 2, 10)])).samples[0], image=path)
    for size, name in (((60, 40), "turned.jpg"), ((40, 60), "turned.png")):
        before = ListDataset([replace(sample, size=size)])
        assert before[0].read().shape[:2] == size
        write(before, tmp_path / f"out{size[0]}", "yolo")
        (file,) = (tmp_path / f"out{size[0]}" / "images").iterdir()
        assert file.name == name and read_image(file).shape[:2] == size


def test_the_folder_is_whole_or_not_there(tmp_path):
    broken = everything(tmp_path)
    Path(broken.samples[1].image).unlink()
    with pytest.raises(DataError, match="b/1.png: the image cannot be taken along"):
        write(broken, tmp_path / "out")
    assert not (tmp_path / "out").exists() and list(tmp_path.glob(".writing-*")) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DataError, match="full: there is something already"):
        write(everything(tmp_path), tmp_path / "full")


def test_refused(tmp_path):
    for changes in ({"format": "voc"}, {"images": "move"}):
        with pytest.raises(ValueError, match="expected a format of coco, yolo"):
            write(one(), tmp_path / "out", **changes)
    with pytest.raises(DataError, match="'train' and 'val'"):
        write({"../x": one(), "b": one()}, tmp_path / "out")
    with pytest.raises(DataError, match="the classes of the data do not fit"):
        write({"train": one(), "val": everything(tmp_path)}, tmp_path / "out")
    with pytest.raises(DataError, match=r"a mask of \(9, 9\)"):
        write(one(Instance(0, np.ones((9, 9), bool))), tmp_path / "out")
    with pytest.raises(DataError, match="neither a mask nor a box"):
        write(one(Instance(0)), tmp_path / "out")


def test_progress_is_told(tmp_path):
    told = []
    write(everything(tmp_path), tmp_path / "out", progress=lambda *counts: told.append(counts))
    assert told == [(1, 3), (2, 3), (3, 3)]
