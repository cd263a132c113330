"""LabelMe files: shapes, groups, photographs beside, elsewhere and inside; and what is left out."""

import base64
import json

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import DataError, load, read_image
from kmaskrcnn.data.formats import labelme
from kmaskrcnn.data.formats.labelme import LabelMeDataset
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image
from tests.shared import shared_path

SIZE = (20, 30)
TRIANGLE = [[4, 2], [14, 2], [14, 12]]


def shape(label="cat", points=TRIANGLE, kind="polygon", **more) -> dict:
    return {"label": label, "points": points, "shape_type": kind, "flags": {}, **more}


def png_text(pixels: np.ndarray) -> str:
    return base64.b64encode(cv2.imencode(".png", pixels)[1]).decode()


def write(folder, *shapes, name="1", image=True, **changes):
    """A LabelMe file, and its photograph beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    if image:
        write_image(folder / f"{name}.png", *SIZE)
    content = {
        "version": "5.4.1",
        "shapes": list(shapes),
        "imagePath": f"{name}.png",
        "imageData": None,
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content | changes))
    return path


def masks(dataset, index=0) -> list[np.ndarray]:
    """Each object as a bool array."""
    found = []
    for instance in dataset[index].instances:
        mask = instance.mask
        window = decode_window(mask) if isinstance(mask, dict) else rasterise(mask, SIZE)
        found.append(full_mask(*window, SIZE))
    return found


def test_a_polygon(tmp_path):
    dataset = load(write(tmp_path, shape()))
    assert isinstance(dataset, LabelMeDataset) and dataset.class_names == ("cat",)
    sample = dataset[0]
    assert sample.image == tmp_path / "1.png" and sample.size == SIZE and sample.image_id == "1"
    np.testing.assert_array_equal(sample.instances[0].mask, [TRIANGLE])
    assert sample.instances[0].annotation_id == "1:0" and not sample.instances[0].crowd
    assert dataset.report.total == 0 and dataset.class_counts() == [1]
    assert dataset.description.endswith("1.json: 1 images, 1 objects of 1 classes")


def test_a_folder_in_natural_order_with_its_classes_sorted(tmp_path):
    write(tmp_path, shape("zebra"), name="10")
    write(tmp_path, shape("ant"), shape("zebra"), name="9")
    write(tmp_path, name="11")
    dataset = load(tmp_path)
    assert [dataset[i].image_id for i in range(3)] == ["9", "10", "11"]
    assert dataset.class_names == ("ant", "zebra") and dataset.class_counts() == [1, 2]
    assert len(dataset[2].instances) == 0


def test_old_files_say_nothing_of_the_kind(tmp_path):
    old = {"label": "cat", "points": TRIANGLE, "line_color": None}
    assert load(write(tmp_path, old)).class_counts() == [1]


def test_a_rectangle_by_two_corners_or_by_four(tmp_path):
    wide = shape(points=[[10, 12], [4, 2]], kind="rectangle")
    four = shape(points=[[4, 2], [10, 2], [10, 12], [4, 12]], kind="rectangle")
    two, other = masks(load(write(tmp_path, wide, four)))
    assert two.sum() == 60 and two[2:12, 4:10].all()
    np.testing.assert_array_equal(two, other)


def test_a_circle_has_its_area(tmp_path):
    (disc,) = masks(load(write(tmp_path, shape(points=[[15, 10], [15, 16]], kind="circle"))))
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    exact = (columns + 0.5 - 15) ** 2 + (rows + 0.5 - 10) ** 2 < 36
    assert (disc ^ exact).sum() <= 4


def test_a_painted_mask(tmp_path):
    crop = np.zeros((4, 5), np.uint8)
    crop[1:, 2:] = 1
    painted = shape(points=[[6, 3], [10, 6]], kind="mask", mask=png_text(crop))
    (mask,) = masks(load(write(tmp_path, painted)))
    np.testing.assert_array_equal(mask[3:7, 6:11], crop > 0)
    assert mask.sum() == crop.sum()


def test_shapes_of_one_group_are_one_object(tmp_path):
    left = shape(points=[[1, 1], [5, 1], [5, 5], [1, 5]], group_id=3)
    right = shape(points=[[11, 1], [15, 1], [15, 5], [11, 5]], group_id=3)
    others = [shape(group_id=4), shape("dog", group_id=3), shape(group_id=None), shape()]
    dataset = load(write(tmp_path, left, right, *others))
    assert dataset.class_counts() == [4, 1]
    assert len(dataset[0].instances[0].mask) == 2
    assert masks(dataset)[0].sum() == 32


def test_a_group_of_a_polygon_and_a_painted_mask(tmp_path):
    crop = np.full((3, 3), 255, np.uint8)
    painted = shape(points=[[20, 10], [22, 12]], kind="mask", mask=png_text(crop), group_id=1)
    square = shape(points=[[1, 1], [5, 1], [5, 5], [1, 5]], group_id=1)
    (mask,) = masks(load(write(tmp_path, square, painted)))
    assert mask.sum() == 16 + 9 and mask[10:13, 20:23].all() and mask[1:5, 1:5].all()


def test_a_flag_makes_a_crowd(tmp_path):
    dataset = load(write(tmp_path, shape(flags={"crowd": True}), shape(flags={"crowd": False})))
    assert [i.crowd for i in dataset[0].instances] == [True, False]


@pytest.mark.parametrize(
    "bad, reason",
    [
        (shape(points=[[1, 1], [2, 2]], kind="line"), "a line has no area"),
        (shape(points=[[1, 1]], kind="point"), "a point has no area"),
        (shape(points=TRIANGLE, kind="linestrip"), "a linestrip has no area"),
        (shape("__ignore__"), "marked as to be ignored"),
        (shape("_background_"), "marked as to be ignored"),
        (shape(flags={"__ignore__": True}), "marked as to be ignored"),
        (shape(label=None), "it has no label"),
        (shape(points=[[1, 1], [5, 1]]), "fewer than 3 points"),
        (shape(points=[[1, 1], [5, None], [3, 3]]), "a coordinate is not a finite number"),
        (shape(points=[[1, 1], [5, "x"], [3, 3]]), "not a list of numbers"),
        (shape(points=[[100, 1], [105, 1], [105, 8]]), "outside of the image"),
        (shape(points=[[1, 1], [1, 1], [1, 1]]), "it has no area"),
        (shape(points=[[1, 1]], kind="rectangle"), "the rectangle needs two points"),
        (shape(points=[[5, 5], [5, 5]], kind="circle"), "it has no area"),
        (shape(points=[[1, 1], [1e300, 3]], kind="circle"), "not a finite number"),
        (shape(points=[[1, 1], [float("nan"), 3]], kind="rectangle"), "not a finite number"),
        (shape(points=[[1, 1], [3, 3]], kind="mask", mask="?"), "cannot be decoded"),
        (shape(points=[[1, 1], [3, 3]], kind="mask"), "cannot be decoded"),
        (
            shape(points=[[1, 1], [3, 3]], kind="mask", mask=png_text(np.ones((99, 9), np.uint8))),
            "cannot be decoded",
        ),
        (
            shape(points=[[1, 1], [3, 3]], kind="mask", mask=png_text(np.zeros((2, 2), np.uint8))),
            "it has no pixel",
        ),
        ("cat", "it is no object"),
    ],
)
def test_what_is_no_object_is_left_out_and_counted(tmp_path, bad, reason):
    path = write(tmp_path, shape(), bad)
    dataset = load(path)
    assert dataset.class_counts() == [1] and dataset.report.total == 1
    assert reason in str(dataset.report) and f"{path}, shapes[1]" in str(dataset.report)


def test_labels_txt_says_the_classes_and_their_order(tmp_path):
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\nzebra\ncat\n\ndog\n")
    dataset = load(write(tmp_path, shape("dog"), shape("gnu")))
    assert dataset.class_names == ("zebra", "cat", "dog") and dataset.class_counts() == [0, 0, 1]
    assert "its label is not in labels.txt" in str(dataset.report)
    assert "shapes[1]: 'gnu'" in str(dataset.report)


@pytest.mark.parametrize(
    "given", ["C:\\Users\\me\\photos\\1.png", "/home/me/1.png", "../elsewhere/1.png", "1.jpg", ""]
)
def test_photographs_are_found_by_their_names(tmp_path, given):
    dataset = load(write(tmp_path, shape(), imagePath=given))
    assert dataset[0].image == tmp_path / "1.png"


@pytest.mark.parametrize("where", ["images", "../images", "../JPEGImages", ".."])
def test_photographs_around_the_file(tmp_path, where):
    path = write(tmp_path / "annotations", shape(), image=False)
    image = write_image(tmp_path / "annotations" / where / "1.png", *SIZE)
    assert load(path)[0].image.resolve() == image.resolve()


def test_a_path_does_not_lead_out_of_the_folders(tmp_path):
    secret = write_image(tmp_path / "a" / "secret.png")
    path = write(tmp_path / "b" / "c" / "d", shape(), image=False, imagePath=str(secret))
    with pytest.raises(DataError, match="1 of 1 images are missing: secret.png of 1.json; looked"):
        load(path)


def test_a_path_from_the_file_counts(tmp_path):
    """Two photographs of one name: the one that the path says, not the one that lies nearer."""
    path = write(tmp_path / "found", shape(), imagePath="../photos/a/1.png")
    image = write_image(tmp_path / "photos" / "a" / "1.png", *SIZE)
    assert load(path)[0].image == image
    assert load(path, images=tmp_path / "photos" / "a")[0].image == image
    write(tmp_path / "found", shape(), imagePath="a\\1.png")
    assert load(path, images=tmp_path / "photos")[0].image == image


def test_photographs_in_a_folder_that_is_named(tmp_path):
    path = write(tmp_path / "a", shape())
    image = write_image(tmp_path / "b" / "1.png", *SIZE)
    assert load(path, images=tmp_path / "b")[0].image == image
    with pytest.raises(DataError, match="the images' folder does not exist"):
        load(path, images=tmp_path / "c")


@pytest.mark.parametrize("form", ["{}", "data:image/png;base64,{}", "lines"])
def test_an_embedded_photograph(tmp_path, form):
    """As LabelMe writes it, as browsers do, and as `base64` does."""
    image = write_image(tmp_path / "elsewhere.png", *SIZE)
    text = form.format(base64.b64encode(image.read_bytes()).decode())
    if form == "lines":
        text = base64.encodebytes(image.read_bytes()).decode()
    path = write(tmp_path / "a", shape(), image=False, imageData=text)
    dataset = load(path)
    np.testing.assert_array_equal(dataset[0].image, read_image(image))
    assert dataset.description.endswith("1 objects of 1 classes, 1 embedded")


def test_an_embedded_photograph_that_is_none(tmp_path):
    with pytest.raises(DataError, match=r"1\.json: imageData is no base64"):
        load(write(tmp_path, shape(), image=False, imageData="*"))[0]
    text = base64.b64encode(b"hello").decode()
    with pytest.raises(DataError, match=r"1\.json: not an image that can be decoded \(5 bytes"):
        load(write(tmp_path, shape(), image=False, imageData=text))[0]


def test_a_file_has_a_size_limit(tmp_path, monkeypatch):
    path = write(tmp_path, shape())
    monkeypatch.setattr(labelme, "MAX_BYTES", 100)
    with pytest.raises(DataError, match=r"1\.json: \d+ bytes; expected at most 100"):
        load(path)


@pytest.mark.parametrize("height, width", [(None, None), ("20", "30"), (0, 30), (float("nan"), 3)])
def test_without_a_size_the_photograph_says_it(tmp_path, height, width):
    dataset = load(write(tmp_path, shape(), imageHeight=height, imageWidth=width))
    assert dataset[0].size is None and len(dataset[0].instances) == 1


def test_no_class_at_all(tmp_path):
    with pytest.raises(DataError, match="without a labelled outline. Expected shapes"):
        load(write(tmp_path))


def test_files_that_are_not_labelme_s(tmp_path):
    write(tmp_path, shape())
    (tmp_path / "2.json").write_text('{"a": 1}')
    (tmp_path / "3.json").write_text('{"shapes": [')
    with pytest.raises(DataError, match=r"2\.json: not a LabelMe file: expected .* found \['a'\]"):
        load(tmp_path)
    dataset = load(tmp_path, skip_broken=True)
    assert len(dataset) == 1 and dataset.report.counts == {"annotation file left out": 2}
    assert "3.json: not JSON, or cut off" in dataset.report.places("annotation file left out")[1]


def test_parts_in_folders(tmp_path):
    for part in ("train", "val"):
        write(tmp_path / part, shape(), shape())
    assert len(load(tmp_path, split="val")[0].instances) == 2
    with pytest.raises(DataError, match="LabelMe files in several folders .train, val.*a split"):
        load(tmp_path)


def test_real_files_equal_the_coco_file_that_was_made_from_them():
    """Object by object: label, order and outline."""
    folder = shared_path("datasets/fruits_nuts")
    ours, coco = load(folder / "labelme_json"), load(folder)
    assert len(ours) == len(coco) == 18 and ours.report.total == 0
    assert sum(ours.class_counts()) == 165
    by_name = {coco[i].image.name: coco[i] for i in range(18)}
    for index in range(18):
        sample = ours[index]
        twin = by_name[sample.image.name]
        assert sample.size == twin.size and sample.image.samefile(twin.image)
        assert len(sample.instances) == len(twin.instances)
        for a, b in zip(sample.instances, twin.instances, strict=True):
            assert ours.class_names[a.label] == coco.class_names[b.label]
            np.testing.assert_allclose(a.mask, b.mask, atol=1e-9)
