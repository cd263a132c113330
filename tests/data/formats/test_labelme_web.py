"""XML of the LabelMe web tool: read as LabelMe's JSON is, and refused with a reason."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import write_image, write_mask
from tests.shared import shared_path

SIZE = (20, 30)
TRIANGLE = ((4, 2), (14, 2), (14, 12))


def polygon(name="cat", points=TRIANGLE, deleted=0) -> str:
    pts = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in points)
    start = f"<object><name>{name}</name><deleted>{deleted}</deleted>"
    return f"{start}<polygon>{pts}</polygon></object>"


def write(folder, *objects, text=None):
    """``Annotations/a/1.xml`` and ``Images/a/1.png``."""
    write_image(folder / "Images" / "a" / "1.png", *SIZE)
    path = folder / "Annotations" / "a" / "1.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    size = f"<imagesize><nrows>{SIZE[0]}</nrows><ncols>{SIZE[1]}</ncols></imagesize>"
    whole = f"<annotation><filename>1.png</filename>{size}{''.join(objects)}</annotation>"
    path.write_text(whole if text is None else text)
    return path


def test_polygons_and_painted_masks(tmp_path):
    mask = np.zeros((*SIZE, 4), np.uint8)
    mask[3:6, 7:11] = (9, 0, 0, 80)
    write_mask(tmp_path / "Masks" / "a" / "m.png", mask)
    painted = "<object><name>dog</name><segm><mask>m.png</mask></segm></object>"
    path = write(tmp_path, polygon(), painted, polygon("gone", deleted=1))
    for where in (path, tmp_path, tmp_path / "Annotations"):
        dataset = load(where)
        assert dataset.class_names == ("cat", "dog") and dataset.report.total == 0
        sample = dataset[0]
        assert sample.size == SIZE and sample.image == tmp_path / "Images" / "a" / "1.png"
        np.testing.assert_array_equal(sample.instances[0].mask, [TRIANGLE])
        window, crop = decode_window(sample.instances[1].mask)
        assert window == (7, 3, 11, 6) and crop.all()


@pytest.mark.parametrize("points", [TRIANGLE[:2], (("a", 1), *TRIANGLE), ()])
def test_what_is_no_outline_is_counted(tmp_path, points):
    path = write(tmp_path, polygon(), polygon(points=points))
    dataset = load(path)
    assert len(dataset[0].instances) == 1 and f"{path}, shapes[1]" in str(dataset.report)


REFUSED = {
    "text": ("hello", "not XML, or cut off"),
    "cut off": ("<annotation><filename>1.png</filename>", "not XML, or cut off"),
    "another kind": ("<folders><meta/></folders>", "found <folders> with meta"),
    "boxes": (
        "<annotation><filename>1.png</filename><object><bndbox/></object></annotation>",
        "boxes of Pascal VOC, which tell no outlines",
    ),
    "entities": ('<!DOCTYPE a [<!ENTITY a "aa">]><annotation/>', "entities, in an annotation"),
}


@pytest.mark.parametrize("text, message", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        load(write(tmp_path, text=text))
    assert "1.xml" in str(caught.value)


def test_a_mask_that_is_missing_is_named(tmp_path):
    painted = "<object><name>dog</name><segm><mask>../../m.png</mask></segm></object>"
    with pytest.raises(DataError, match=r"Masks/a/m\.png: the mask cannot be read"):
        load(write(tmp_path, painted))


def test_a_real_file():
    """Seven objects, two of them painted."""
    dataset = load(shared_path("datasets/format_fixtures_datumaro/labelme_dataset"))
    assert len(dataset) == 1 and dataset[0].size == (77, 102) and dataset[0].read().shape[0] == 77
    assert dataset.class_names == ("b1", "hg", "license plate", "m1", "o1", "q1", "window")
    found = {dataset.class_names[i.label]: i.mask for i in dataset[0].instances}
    assert len(found) == 7 and decode_window(found["m1"])[1].sum() == 130
    assert decode_window(found["license plate"])[1].sum() == 10
