"""YOLO: data.yaml and where it leads, label files line by line, photographs that lie turned."""

import numpy as np
import pytest
from PIL import Image

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.yolo import labels_of
from kmaskrcnn.data.formats.yolo_labels import size_of
from tests.data.samples import write_image

LINE = "1 0.1 0.2 0.5 0.2 0.5 0.6 0.1 0.6"
YAML = "path: .\ntrain: images/train\nnames:\n  0: cat\n  1: dog\n"


def write_yolo(folder, *lines, yaml=YAML, part="train", name="a"):
    write_image(folder / "images" / part / f"{name}.jpg")
    labels = folder / "labels" / part / f"{name}.txt"
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text("\n".join(lines or [LINE]))
    (folder / "data.yaml").write_text(yaml)
    return folder


def test_outlines_in_pixels(tmp_path):
    dataset = load(write_yolo(tmp_path, "0 0 0 0.1 0 0.1 0.1", LINE))
    (sample,) = dataset
    assert dataset.class_names == ("cat", "dog") and dataset.class_counts() == [1, 1]
    first, second = sample.instances
    np.testing.assert_allclose(second.mask[0], [[3, 4], [15, 4], [15, 12], [3, 12]])
    assert second.annotation_id == "a.txt:2" and sample.image_id == "a"
    assert "1 images, 2 classes" in dataset.description and dataset.report.total == 0


def test_the_yaml_itself_may_be_named(tmp_path):
    assert len(load(write_yolo(tmp_path) / "data.yaml")) == 1


def test_a_box_has_no_mask(tmp_path):
    dataset = load(write_yolo(tmp_path, "1 0.5 0.5 0.2 0.4"))
    (instance,) = dataset[0].instances
    np.testing.assert_allclose(instance.box, [12, 6, 18, 14])
    assert instance.mask is None
    (place,) = dataset.report.places("object without a mask, only its box is trained on")
    assert place.endswith("a.txt:1")


def test_images_without_a_label_file_have_no_objects(tmp_path):
    write_yolo(tmp_path)
    write_image(tmp_path / "images" / "train" / "b.jpg")
    write_yolo(tmp_path, "", name="c")
    dataset = load(tmp_path)
    assert [len(s.instances) for s in dataset] == [1, 0, 0]
    assert "1 images without a label file" in dataset.description


def test_no_label_file_at_all_is_a_mistake(tmp_path):
    write_yolo(tmp_path)
    (tmp_path / "labels").rename(tmp_path / "lables")
    with pytest.raises(DataError, match=r"no label file of any; .*labels/train/a\.txt is not"):
        load(tmp_path)


def test_lines_that_are_there_twice_count_once(tmp_path):
    dataset = load(write_yolo(tmp_path, LINE, "", f" {LINE}  "))
    assert dataset.class_counts() == [0, 1]


BAD_LINES = {
    "a class too many": ("2 0 0 1 0 1 1", "class 2, but the classes have the numbers 0 … 1"),
    "a class below": ("-1 0 0 1 0 1 1", "class -1, but"),
    "half a class": ("0.5 0 0 1 0 1 1", "class 0.5, but"),
    "words": ("cat 0 0 1 0 1 1", "'cat 0 0 1 0 1 1'; expected an outline"),
    "half a point": ("0 0 0 1 0 1 1 1", "expected an outline, class x1 y1"),
    "too few": ("0 0.1 0.1", "expected an outline"),
    "NaN": ("0 0 0 1 0 1 nan", "in finite numbers"),
    "pixels": ("0 0 0 100 0 100 80", "a coordinate of 100; expected shares"),
}


@pytest.mark.parametrize("line, message", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_line_that_is_no_object_is_an_error_with_its_number(tmp_path, line, message):
    write_yolo(tmp_path, LINE, line)
    write_yolo(tmp_path, name="b")
    for look in (lambda d: d[0], lambda d: d.class_counts()):
        with pytest.raises(DataError) as caught:
            look(load(tmp_path))
        assert "labels/train/a.txt:2: " in str(caught.value) and message in str(caught.value)
    dataset = load(tmp_path, skip_broken=True)
    assert len(dataset) == 1 and "a.txt:2" in str(dataset.report)


def test_flat_and_far_outlines_are_counted(tmp_path):
    dataset = load(write_yolo(tmp_path, LINE, "0 0.1 0.1 0.2 0.2 0.3 0.3", "0 1.1 0 1.3 0 1.3 1"))
    assert len(dataset[0].instances) == 1
    assert list(dataset.report.counts) == [
        "polygon left out, it has no area",
        "polygon left out, it lies outside of the image",
    ]


PARTS = "train: images/train\nval: images/val\nnames: [cat, dog]\n"


def test_parts(tmp_path):
    write_yolo(tmp_path, yaml=PARTS)
    assert len(load(tmp_path)) == 1  # val is not there
    write_yolo(tmp_path, part="val", name="b", yaml=PARTS)
    with pytest.raises(DataError, match=r"several parts .train, val.\. Name a split"):
        load(tmp_path)
    assert load(f"{tmp_path}#validation")[0].image_id == "b"
    with pytest.raises(DataError, match="nothing under 'test'; there are train, val"):
        load(tmp_path, split="test")


PLACES = {
    "from path": "path: .\ntrain: images/train",
    "path of another machine": "path: /content/datasets/mine\ntrain: images/train",
    "steps up, as Roboflow writes": "train: ../images/train",
    "a list": "train:\n- images/train",
    "a text file": "train: train.txt",
    "a folder above": "train: images",
}


@pytest.mark.parametrize("entry", PLACES.values(), ids=PLACES.keys())
def test_where_images_are_looked_for(tmp_path, entry):
    home = write_yolo(tmp_path / "mine", yaml=f"{entry}\nnames: [cat, dog]\n")
    (home / "train.txt").write_text("./images/train/a.jpg\n\n")
    (sample,) = load(home)
    assert sample.image == home / "images" / "train" / "a.jpg" and len(sample.instances) == 1


def test_path_names_a_folder_inside(tmp_path):
    write_yolo(tmp_path / "mine")
    (tmp_path / "data.yaml").write_text(YAML.replace("path: .", "path: ../datasets/mine"))
    assert len(load(tmp_path)) == 1


@pytest.mark.parametrize("entry", ["../../other/images", "/etc", "C:\\images"])
def test_nothing_outside_is_followed(tmp_path, entry):
    write_yolo(tmp_path / "other")
    home = write_yolo(tmp_path / "a" / "mine", yaml=f"train: {entry}\nnames: [cat, dog]\n")
    with pytest.raises(DataError, match="leads out of|no folder of images|no part of which"):
        load(home, split="train")
    (home / "list.txt").write_text("../../other/images/train/a.jpg\n")
    (home / "data.yaml").write_text("train: list.txt\nnames: [cat, dog]\n")
    with pytest.raises(DataError, match=r"list\.txt: the file name .* leads out of"):
        load(home)


def test_images_elsewhere(tmp_path):
    home = write_yolo(tmp_path / "mine")
    (home / "images" / "train" / "a.jpg").rename(home / "a.jpg")
    (home / "list.txt").write_text("images/train/a.jpg\n")
    (home / "data.yaml").write_text("train: list.txt\nnames: [cat, dog]\n")
    with pytest.raises(DataError, match="1 of 1 images are missing"):
        load(home)
    write_image(tmp_path / "photographs" / "images" / "train" / "a.jpg")
    (sample,) = load(home, images=tmp_path / "photographs")
    assert "photographs" in str(sample.image) and len(sample.instances) == 1


BAD_YAML = {
    "no names": ("names: []\ntrain: images", "expected class names under 'names'"),
    "a gap": ("names: {0: a, 2: b}\ntrain: images", "expected class names under 'names'"),
    "twice": ("names: [a, b, a]\ntrain: images", "class names that occur twice: a"),
    "keypoints": ("names: [a]\nkpt_shape: [17, 3]\ntrain: images", "labels with keypoints"),
    "no part": ("names: [a]", "no part of which the images are found"),
    "a number": ("names: [a]\ntrain: [3]", "expected a folder under 'train', got"),
}


@pytest.mark.parametrize("text, message", BAD_YAML.values(), ids=BAD_YAML.keys())
def test_a_data_yaml_that_does_not_do(tmp_path, text, message):
    write_yolo(tmp_path, yaml=text)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "data.yaml")
    assert message in str(caught.value) and str(tmp_path / "data.yaml") in str(caught.value)


BOMBS = {
    "merges": "a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nnames: [a]",
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\nnames: [a]",
    "code": "names: !!python/object/apply:os.getcwd []",
    "deep": "names: " + "[" * 50_000,
    "cut off": "names: [a",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_yaml_neither_grows_nor_runs(tmp_path, text):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError, match=r"data\.yaml: not YAML"):
        load(tmp_path / "data.yaml")


@pytest.mark.parametrize("orientation, size", [(1, (20, 30)), (3, None), (6, (30, 20))])
def test_shares_are_of_the_photograph_as_it_is_looked_at(tmp_path, orientation, size):
    write_yolo(tmp_path)
    path = tmp_path / "images" / "train" / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.open(path).save(path, exif=exif)
    sample = load(tmp_path)[0]
    expected = size or (20, 30)
    assert size_of(path) == expected and sample.read().shape[:2] == expected
    np.testing.assert_allclose(
        sample.instances[0].mask[0][2], np.array([0.5, 0.6]) * expected[::-1]
    )


@pytest.mark.parametrize(
    "image, labels",
    [
        ("/a/images/train/1.jpg", "/a/labels/train/1.txt"),
        ("/images/x/images/1.2.png", "/images/x/labels/1.2.txt"),
        ("/a/photographs/1.jpg", "/a/photographs/1.txt"),
    ],
)
def test_where_labels_lie(tmp_path, image, labels):
    assert str(labels_of(tmp_path / image[1:])) == str(tmp_path) + labels
