"""Bad input, row by row: an error that helps, or left out and counted with file and id.

Nothing is passed over in silence, and nothing makes a loss that is no number.
"""

import json
import math

import numpy as np
import pytest

import kmaskrcnn
from kmaskrcnn.data import (
    DataError,
    InputSize,
    Instance,
    Order,
    Sample,
    batches,
    check,
    clear_errors,
    inspect,
    load,
)
from tests.data.samples import (
    SQUARE,
    ListDataset,
    annotation,
    coco_content,
    write_coco,
    write_image,
)
from tests.data.test_broken import cut

NAN, INF = float("nan"), float("inf")
IMAGE = {"id": 1, "file_name": "1.png", "height": 20, "width": 30}


# Row 1: the annotation file. (content, what the message says; {path} stands for the file)
FILES = {
    "missing": (None, "there is no such file or folder. Found in", "Expected one of"),
    "empty": (b"", "not JSON, or cut off (Input data was truncated", "0 bytes, beginning b''"),
    "not JSON": (b"hello, world", "not JSON, or cut off", "beginning b'hello, world'"),
    "an image": (b"\x89PNG\r\n\x1a\n", "not JSON, or cut off", "8 bytes, beginning b'\\x89PNG"),
    "truncated": (
        json.dumps(coco_content([annotation()])).encode()[:200],
        "not JSON, or cut off",
        "200 bytes",
    ),
    "deep": (b"[" * 100_000, "not JSON, or cut off", "100,000 bytes"),
    "a list": (b"[1]", "not a COCO instances file: the top is a list", "expected an object with"),
    "other keys": (b'{"a": 1}', "no list under images, annotations, categories", "the keys a"),
    "captions": (
        json.dumps(
            coco_content([{"id": 1, "image_id": 1, "caption": "x"}], categories=[])
        ).encode(),
        "it is a captions file (caption); use the instances file",
        "instances.json",
    ),
}


@pytest.mark.parametrize("content, looked_for, found", FILES.values(), ids=FILES.keys())
def test_a_bad_annotation_file(tmp_path, content, looked_for, found):
    path = tmp_path / "instances.json"
    write_image(tmp_path / "1.png")
    if content is not None:
        path.write_bytes(content)
    for skip_broken in (False, True):
        with pytest.raises(DataError) as caught:
            load(path, skip_broken=skip_broken)
        assert all(text in str(caught.value) for text in (str(path), looked_for, found))


def test_a_folder_of_no_format(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert str(tmp_path) in text and "COCO instances: a JSON" in text and "Found: notes.txt" in text


# Row 2: images. (how to break 1.png, the kind in the report, what the error says of the file)
IMAGES = {
    "missing": (lambda path: path.unlink(), "missing", "images are"),
    "truncated": (cut, "cut off or damaged", "the file is cut off after"),
    "empty": (lambda path: path.write_bytes(b""), "not an image", "0 bytes"),
    "not an image": (lambda path: path.write_text("<html>"), "not an image", "not an image that"),
    "other size": (lambda path: write_image(path, 30, 40), "of another size", "is 30×40"),
}


@pytest.mark.parametrize("damage, kind, error", IMAGES.values(), ids=IMAGES.keys())
def test_a_bad_image(tmp_path, damage, kind, error):
    """Trained on: an error. Inspected: listed. Told to: left out, counted, its objects too."""
    other = {"id": 2, "file_name": "2.png", "height": 20, "width": 30}
    content = coco_content([annotation(), annotation(id=8, image_id=2)], images=[IMAGE, other])
    path = write_coco(tmp_path, content)
    write_image(tmp_path / "2.png")
    damage(tmp_path / "1.png")

    with pytest.raises(DataError) as caught, clear_errors():
        for _ in batches(load(path), InputSize(32, 32), Order(1)):
            pass
    assert "1.png" in str(caught.value) and error in str(caught.value)
    if kind != "missing":  # which is found when the file is opened
        assert f"Its annotation: {path}, image 1." in str(caught.value)

    (broken,) = inspect(path).broken
    assert (broken.file, broken.kind) == (str(tmp_path / "1.png"), kind)

    dataset = load(path, skip_broken=True)
    assert [dataset[i].image_id for i in range(len(dataset))] == [2]
    (place,) = dataset.report.places(f"image left out, {kind}")
    assert "1.png" in place and "(1 objects)" in place
    assert f"1 × image left out, {kind}" in str(check(dataset))


# Row 3: annotations. (the annotation, what the report says, objects left of it, of those with mask)
ANNOTATIONS = {
    "two points": (annotation(segmentation=[[1, 1, 5, 5]]), "fewer than 3 points", 1, 0),
    "no point": (annotation(segmentation=[[]], bbox=[]), "fewer than 3 points", 0, 0),
    "NaN polygon": (annotation(segmentation=[[1, NAN, 5, 5, 9, 1]]), "not a finite number", 1, 0),
    "far polygon": (annotation(segmentation=[[1, INF, 5, 5, 9, 1]]), "not a finite number", 1, 0),
    "huge polygon": (annotation(segmentation=[[1, 1, 1e300, 5, 9, 1]]), "not a finite", 1, 0),
    "huge box": (annotation(bbox=[1, 2, 1e300, 3], segmentation=[]), "not a finite", 0, 0),
    "words": (annotation(segmentation=[["a"] * 6]), "not a list of numbers", 1, 0),
    "nested": (annotation(segmentation=[[[1, 1], [2]]]), "not a list of numbers", 1, 0),
    "outside": (
        annotation(segmentation=[[40, 1, 50, 1, 45, 9]], bbox=[40, 1, 10, 8]),
        "polygon left out, it lies outside of the image",
        0,
        0,
    ),
    "partly outside": (
        annotation(segmentation=[[20, 1, 50, 1, 50, 9]], bbox=[20, 1, 30, 8]),
        "polygon clipped at the image's edge",
        1,
        1,
    ),
    "a line": (annotation(segmentation=[[1, 1, 5, 5, 9, 9]]), "it has no area", 1, 0),
    "zero-area box": (annotation(bbox=[4, 2, 0, 0], segmentation=[]), "box without an area", 0, 0),
    "zero width": (annotation(bbox=[4, 2, 0, 9]), "box without an area taken from the mask", 1, 1),
    "NaN box": (annotation(bbox=[NAN] * 4), "not a finite number taken from the mask", 1, 1),
    "NaN box alone": (annotation(bbox=[1, 2, NAN, 3], segmentation=[]), "not a finite", 0, 0),
    "endless box": (annotation(bbox=[1, 2, 1e999, 3], segmentation=[]), "not a finite", 0, 0),
    "box of words": (annotation(bbox=list("abcd")), "not four numbers taken from the mask", 1, 1),
    "box outside": (annotation(bbox=[90, 2, 9, 9], segmentation=[]), "box outside of the", 0, 0),
    "empty code": (
        annotation(segmentation={"size": [20, 30], "counts": [600]}, bbox=[0, 0, 0, 0]),
        "mask without a pixel left out",
        0,
        0,
    ),
    "empty code, box": (
        annotation(segmentation={"size": [20, 30], "counts": [600]}),
        "mask without a pixel left out",
        1,
        0,
    ),
    "no mask": (annotation(segmentation=[]), "object without a mask, only its box", 1, 0),
    "neither": (annotation(segmentation=None, bbox=None), "without a usable mask or box", 0, 0),
    "endless number": (annotation(bbox=[10**400, 2, 3, 4]), "not four numbers taken", 1, 1),
    "area": (annotation(area=NAN), "", 1, 1),
    "endless area": (annotation(area=10**400), "", 1, 1),
    "unknown category": (annotation(category_id=99), "category_id 99", 0, 0),
    "no category": (annotation(category_id=None), "category_id None", 0, 0),
    "category of a kind": (annotation(category_id=[1]), "category_id [1]", 0, 0),
    "category as text": (annotation(category_id="1"), "category_id of another type", 1, 1),
    "image not listed": (annotation(image_id=44), "annotation of an image that the file", 0, 0),
    "image of a kind": (annotation(image_id={"a": 1}), "annotation of an image that", 0, 0),
    "image as text": (annotation(image_id="1"), "image_id of another type", 1, 1),
    "not an object": ("cat", "it is no object {…}", 0, 0),
}


@pytest.mark.parametrize("bad, says, objects, masks", ANNOTATIONS.values(), ids=ANNOTATIONS.keys())
def test_a_bad_annotation(tmp_path, bad, says, objects, masks):
    """One bad annotation among good ones: counted with file and id, and the rest stays."""
    path = write_coco(tmp_path, coco_content([annotation(id=1), bad, annotation(id=2)]))
    dataset = load(path)
    found = dataset[0].instances
    assert len(found) == 2 + objects
    assert sum(i.mask is not None for i in found) == 2 + masks
    assert says in str(dataset.report) and bool(says) == bool(dataset.report.total)
    for kind in dataset.report.counts:
        (place,) = dataset.report.places(kind)
        assert place.startswith(str(path)) and ("annotation 7" in place or "[1]: 'cat'" in place)
    with clear_errors():
        ((_, targets),) = batches(dataset, InputSize(32, 48), Order(1))
    assert np.isfinite(targets["boxes"]).all() and (targets["labels"].numpy() >= 0).sum() >= 2


TABLES = {
    "annotation twice": ({}, [annotation(), annotation()], "annotation that is listed twice", 1),
    "annotation id twice": (
        {},
        [annotation(), annotation(bbox=[1, 1, 9, 9], segmentation=[[1, 1, 9, 1, 9, 9]])],
        "annotation id that occurs more than once (all are kept)",
        2,
    ),
    "image twice": ({"images": [IMAGE, IMAGE]}, [annotation()], "image that is listed twice", 1),
    "category twice": (
        {"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "cat"}]},
        [annotation()],
        "category that is listed twice taken once",
        1,
    ),
    "name twice": (
        {"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}]},
        [annotation(), annotation(id=8, category_id=2, bbox=[1, 1, 5, 5])],
        "two categories of one name taken as one",
        2,
    ),
    "category 0": (
        {"categories": [{"id": 0, "name": "cat"}]},
        [annotation(category_id=0)],
        None,
        1,
    ),
    "ids as text": (
        {"images": [IMAGE | {"id": "x1"}], "categories": [{"id": "c", "name": "cat"}]},
        [annotation(id="a7", image_id="x1", category_id="c")],
        None,
        1,
    ),
    "endless image": ({"images": [IMAGE | {"height": 1e999}]}, [annotation()], None, 1),
}


@pytest.mark.parametrize("changes, objects, says, count", TABLES.values(), ids=TABLES.keys())
def test_bad_tables(tmp_path, changes, objects, says, count):
    dataset = load(write_coco(tmp_path, coco_content(objects, **changes)))
    assert len(dataset) == 1 and sum(dataset.class_counts()) == count
    assert dataset.class_names[0] == "cat" and len(dataset.class_names) == len(dataset.category_ids)
    assert all(i.label == 0 for i in dataset[0].instances)
    assert (says or "nothing mended") in str(dataset.report)


def test_numbers_in_the_place_of_annotations(tmp_path):
    dataset = load(write_coco(tmp_path, coco_content([7, 0.5, None, annotation()])))
    assert dataset.class_counts() == [1, 0]
    assert dataset.report.counts == {"annotation left out, it is no object {…}": 3}


def test_an_id_of_two_images_is_nobody_s(tmp_path):
    """Whose the annotations are cannot be known: both images are left out, and their objects."""
    images = [IMAGE, IMAGE | {"file_name": "2.png"}, IMAGE | {"id": 3, "file_name": "3.png"}]
    content = coco_content([annotation(), annotation(id=8, image_id=3)], images=images)
    write_image(tmp_path / "3.png")
    dataset = load(write_coco(tmp_path, content))
    assert [dataset[i].image_id for i in range(len(dataset))] == [3]
    assert dataset.report.counts["image left out, its id stands for several files"] == 2
    assert "image 1: 2.png" in str(dataset.report) and "annotation 7, image_id 1" in str(
        dataset.report
    )


def test_nothing_left_to_train_on_says_why(tmp_path):
    dataset = load(write_coco(tmp_path, coco_content([annotation(category_id=9)])))
    with pytest.raises(DataError, match="without a single object.*\n.*its category is not among"):
        check(dataset)


def test_an_id_of_two_classes_is_an_error(tmp_path):
    changes = {"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}
    with pytest.raises(DataError, match="category id 1 occurs twice, as 'cat' and as 'dog'"):
        load(write_coco(tmp_path, coco_content([annotation()], **changes)))


UNREADABLE = {
    "code of another size": {"segmentation": {"size": [30, 20], "counts": [0, 600]}},
    "code too short": {"segmentation": {"size": [20, 30], "counts": [9]}},
    "code cut off": {"segmentation": {"size": [20, 30], "counts": "abc"}},
    "code without counts": {"segmentation": {"size": [20, 30]}},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_run_length_code_that_does_not_fit(tmp_path, changes):
    """As a rule all of a file's are wrong then: an error, or left out where that is asked for."""
    path = write_coco(tmp_path, coco_content([annotation(id=1), annotation(**changes)]))
    with pytest.raises(DataError, match=r"instances\.json, annotation 7: "):
        load(path)
    dataset = load(path, skip_broken=True)
    assert [i.annotation_id for i in dataset[0].instances] == [1]
    (place,) = dataset.report.places("object left out, it cannot be read")
    assert f"{path}, annotation 7" in place


OWN = {
    "no area": Instance(0, box=(4, 4, 4, 9), annotation_id=7),
    "NaN box": Instance(0, box=(NAN, 4, 9, 9), annotation_id=7),
    "turned box": Instance(0, box=(9, 9, 4, 4), annotation_id=7),
    "outside": Instance(0, box=(90, 90, 99, 99), annotation_id=7),
    "empty mask": Instance(0, np.zeros((20, 30), bool), annotation_id=7),
    "no polygon": Instance(0, [], annotation_id=7),
    "two points": Instance(0, [np.array([[1, 1], [5, 5]])], annotation_id=7),
    "NaN polygon": Instance(0, [np.full((4, 2), NAN)], annotation_id=7),
    "nothing": Instance(0, annotation_id=7),
}


@pytest.mark.parametrize("bad", OWN.values(), ids=OWN.keys())
def test_a_dataset_of_one_s_own_is_not_trusted(bad):
    """What no reader has looked at is found when it is read: left out and counted."""
    image = np.zeros((20, 30, 3), np.uint8)
    data = ListDataset([Sample(image, [bad, Instance(1, box=(1, 1, 9, 9))], image_id="x")])
    report = kmaskrcnn.data.Report()
    with clear_errors():
        ((_, targets),) = batches(data, InputSize(32, 48), Order(1), report=report)
    assert np.isfinite(targets["boxes"]).all()
    assert [v for v in targets["labels"].numpy()[0] if v >= 0] == [1]
    assert report.places("object left out, nothing of it is in the network's input") == [
        "image x, annotation 7"
    ]
    assert inspect(data).problems[0].annotation_id == 7


def everything_at_once(folder):
    """Each bad image and each bad annotation in one file, beside two sound images."""
    images, annotations = [], []
    for number, (name, (damage, _, _)) in enumerate(IMAGES.items(), 1):
        path = write_image(folder / f"{name}.png")
        damage(path)
        images.append({"id": number, "file_name": path.name, "height": 20, "width": 30})
        annotations.append(annotation(id=f"image {name}", image_id=number))
    for number in (98, 99):
        path = write_image(folder / f"sound{number}.png")
        images.append({"id": number, "file_name": path.name, "height": 20, "width": 30})
    for name, (bad, says, _, _) in ANNOTATIONS.items():
        if not isinstance(bad, dict):
            annotations.append(bad)
        elif says:
            elsewhere = {} if bad["image_id"] != 1 else {"image_id": 98}
            elsewhere = {"image_id": "98"} if bad["image_id"] == "1" else elsewhere
            annotations.append(bad | elsewhere | {"id": name})
    annotations += [annotation(id=name, image_id=99, **code) for name, code in UNREADABLE.items()]
    annotations += [annotation(id=1, image_id=99), annotation(id=1, image_id=99)]
    annotations += [annotation(id=2, image_id=99, category_id=0, segmentation=[SQUARE, [1, 2]])]
    content = coco_content(annotations, images=[*images, images[-1]])
    content["categories"].append({"id": 0, "name": "nought"})
    (folder / "all.json").write_text(json.dumps(content))
    return folder / "all.json"


def test_everything_at_once_is_counted_and_trains_with_a_finite_loss(tmp_path):
    path = everything_at_once(tmp_path)
    dataset = load(path, skip_broken=True)
    places = [place for kind in dataset.report.counts for place in dataset.report.places(kind)]
    for name in IMAGES:
        assert any(f"{name}.png" in place for place in places), name
    for name, (bad, says, _, _) in ANNOTATIONS.items():
        named = f"annotation {name}" if isinstance(bad, dict) else f"{bad!r}"
        assert not says or any(named in place for place in places), name
    for name in (*UNREADABLE, "1", "2"):
        assert any(f"annotation {name}" in place for place in places), name
    assert [dataset[i].image_id for i in range(len(dataset))] == [98, 99]

    model = kmaskrcnn.MaskRCNN.from_preset(
        "tiny", class_names=dataset.class_names, min_size=32, max_size=32
    )
    history = model.fit(dataset, epochs=1, batch_size=1, verbose=0).history
    assert all(math.isfinite(value[0]) for name, value in history.items() if "loss" in name)
    dataset.report.save(tmp_path / "report.txt")
    assert all(place in (tmp_path / "report.txt").read_text() for place in places)
