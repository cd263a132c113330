"""CVAT's XML: shapes, groups, subsets, and what is no outline."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image
from tests.shared import shared_path

SQUARE = '<polygon label="cat" points="4.00,2.00;14.00,2.00;14.00,12.00;4.00,12.00"/>'
META = "<meta><task><labels><label><name>dog</name></label></labels></task></meta>"


def image(*shapes, name="1.png", more=""):
    return f'<image id="0" name="{name}" width="30" height="20" {more}>{"".join(shapes)}</image>'


def write_cvat(folder, *images, meta=META, name="annotations.xml"):
    write_image(folder / "images" / "1.png")
    path = folder / name
    path.write_text(f'<?xml version="1.0"?><annotations>{meta}{"".join(images)}</annotations>')
    return path


def one(tmp_path, *shapes):
    return load(write_cvat(tmp_path, image(*shapes)))


def test_polygons(tmp_path):
    dataset = load(write_cvat(tmp_path, image(SQUARE)).parent)
    (sample,) = dataset
    assert dataset.class_names == ("dog", "cat") and dataset.class_counts() == [0, 1]
    np.testing.assert_array_equal(sample.instances[0].mask[0], [[4, 2], [14, 2], [14, 12], [4, 12]])
    assert sample.size == (20, 30) and sample.image == tmp_path / "images" / "1.png"
    assert "1 images, 1 objects of 2 classes" in dataset.description


def test_a_painted_mask_runs_along_the_rows_of_its_box(tmp_path):
    shape = '<mask label="cat" rle="1, 2, 1, 2" left="4" top="3" width="3" height="2"/>'
    (instance,) = one(tmp_path, shape)[0].instances
    expected = np.zeros((20, 30), bool)
    expected[3, 5:7] = expected[4, 5:7] = True
    np.testing.assert_array_equal(full_mask(*decode_window(instance.mask), (20, 30)), expected)


def test_ellipses_and_boxes(tmp_path):
    ellipse = '<ellipse label="cat" cx="12" cy="9" rx="8" ry="4" rotation="90"/>'
    box = '<box label="dog" xtl="10" ytl="4" xbr="14" ybr="12" rotation="90"/>'
    round_one, square = one(tmp_path, ellipse, box)[0].instances
    window, pixels = rasterise(round_one.mask, (20, 30))
    assert window == (8, 1, 16, 17) and pixels.sum() == pytest.approx(np.pi * 32, rel=0.06)
    assert square.mask is None
    np.testing.assert_allclose(square.box, [8, 6, 16, 10])


def test_groups_are_one_object(tmp_path):
    shapes = [SQUARE.replace("<polygon", f'<polygon group_id="{g}"') for g in (0, 3, 3, 4, 0)]
    dataset = one(tmp_path, *shapes)
    assert [len(i.mask) for i in dataset[0].instances] == [1, 2, 1, 1]
    assert [i.annotation_id for i in dataset[0].instances] == [f"1.png:{n}" for n in (0, 1, 3, 4)]


def test_crowds(tmp_path):
    crowd = SQUARE.replace("/>", '><attribute name="is_crowd">true</attribute></polygon>')
    assert [i.crowd for i in one(tmp_path, crowd, SQUARE)[0].instances] == [True, False]


LEFT_OUT = {
    "polyline": ('<polyline label="cat" points="1,2;3,4"/>', "polyline outline no object"),
    "no label": (SQUARE.replace('label="cat"', 'label=""'), "it has no label"),
    "a box of none": ('<box xtl="1" ytl="1" xbr="5" ybr="5"/>', "it has no label"),
    "words": (SQUARE.replace("4.00", "x"), "its polygon lacks numbers"),
    "no points": ('<polygon label="cat"/>', "its polygon lacks numbers"),
    "half a box": ('<box label="cat" xtl="1" ytl="1" xbr="5"/>', "its box lacks numbers"),
    "flat": ('<polygon label="cat" points="1,1;2,2;3,3"/>', "it has no area"),
    "far": ('<ellipse label="cat" cx="1e300" cy="1" rx="2" ry="2"/>', "not a finite number"),
    "a long run": (
        '<mask label="cat" rle="0,99" left="0" top="0" width="3" height="2"/>',
        "its mask lacks numbers",
    ),
    "a mask outside": (
        '<mask label="cat" rle="0,6" left="29" top="0" width="3" height="2"/>',
        "its mask lacks numbers",
    ),
    "an empty mask": (
        '<mask label="cat" rle="6" left="2" top="0" width="3" height="2"/>',
        "it has no pixel",
    ),
}


@pytest.mark.parametrize("shape, reason", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_no_outline_is_counted(tmp_path, shape, reason):
    dataset = one(tmp_path, SQUARE, shape)
    assert sum(dataset.class_counts()) == 1
    (kind,) = dataset.report.counts
    assert reason in kind and "image '1.png', shape 1" in dataset.report.places(kind)[0]


def test_subsets_are_parts(tmp_path):
    for subset in ("Train", "Validation"):
        write_image(tmp_path / "images" / subset / "1.png")
    images = [image(SQUARE, more=f'subset="{s}"') for s in ("Train", "Validation")]
    path = write_cvat(tmp_path, *images, *images[:1])
    with pytest.raises(DataError, match=r"several parts .Train, Validation.\. Name a split"):
        load(path)
    assert len(load(tmp_path, split="train")) == 2
    assert load(path, split="val")[0].image.parent.name == "Validation"
    with pytest.raises(DataError, match="no part 'test'; there are Train, Validation"):
        load(path, split="test")


def test_files_are_parts(tmp_path):
    for name in ("train.xml", "val.xml"):
        path = write_cvat(tmp_path, image(SQUARE), name=name)
    with pytest.raises(DataError, match=r"several annotation files .train\.xml, val\.xml"):
        load(tmp_path)
    assert load(tmp_path, split="val").path == path


def test_photographs(tmp_path):
    path = write_cvat(tmp_path, image(SQUARE), image(name="deep/2.png"))
    with pytest.raises(DataError, match=r"1 of 2 images are missing: .*deep/2\.png"):
        load(path)
    assert len(load(path, skip_broken=True)) == 1
    write_image(tmp_path / "images" / "2.png")
    assert load(path)[1].image == tmp_path / "images" / "2.png"


BAD = {
    "no size": ('<image name="1.png" width="30"/>', "expected an image with name, width"),
    "no name": ('<image width="30" height="20"/>', "expected an image with name, width"),
    "gigantic": ('<image name="1.png" width="900000" height="900000"/>', "megapixels"),
    "outside": (image(name="../../1.png"), "leads out of"),
}


@pytest.mark.parametrize("entry, message", BAD.values(), ids=BAD.keys())
def test_an_image_that_is_none(tmp_path, entry, message):
    path = write_cvat(tmp_path, image(SQUARE), entry)
    with pytest.raises(DataError) as caught:
        load(path)
    assert message in str(caught.value) and f"{path}, image" in str(caught.value)
    dataset = load(path, skip_broken=True)
    assert len(dataset) == 1 and "image left out, its entry cannot be used" in str(dataset.report)


def test_a_video_and_a_file_of_nothing(tmp_path):
    with pytest.raises(DataError, match="no images, but tracks of a video: export it as CVAT for"):
        load(write_cvat(tmp_path, "<track/>"))
    with pytest.raises(DataError, match="no labels, neither listed nor in use"):
        load(write_cvat(tmp_path, image(), meta=""))


def test_a_real_project():
    folder = shared_path("datasets/format_fixtures_datumaro/cvat_dataset/for_images/export_project")
    dataset = load(folder, split="train")
    (box,), (polygon,) = (sample.instances for sample in dataset)
    assert dataset.class_names == ("label1", "label2") and tuple(box.box) == (0, 2, 4, 4)
    np.testing.assert_array_equal(polygon.mask[0], [[1, 2], [3, 4], [6, 5]])
