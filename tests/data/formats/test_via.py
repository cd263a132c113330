"""VIA: regions of both versions, projects, shapes, and the attribute that is the class."""

import json

import numpy as np
import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.via import ViaDataset
from kmaskrcnn.data.polygons import rasterise
from tests.data.samples import write_image
from tests.shared import shared_path

SQUARE = {"name": "polygon", "all_points_x": [4, 14, 14, 4], "all_points_y": [2, 2, 12, 12]}


def region(shape=SQUARE, **attributes):
    return {"shape_attributes": shape, "region_attributes": attributes}


def entry(*regions, name="1.png"):
    return {"filename": name, "size": 99, "regions": list(regions), "file_attributes": {}}


def write_via(folder, content, name="via_region_data.json"):
    write_image(folder / "1.png")
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def one(tmp_path, *regions, **options):
    return load(write_via(tmp_path, {"1.png99": entry(*regions)}), **options)


def test_version_two_has_a_list_of_regions(tmp_path):
    dataset = one(tmp_path, region(kind="cat"), region(kind="dog"))
    (sample,) = dataset
    assert dataset.class_names == ("cat", "dog") and dataset.class_counts() == [1, 1]
    assert sample.image == tmp_path / "1.png" and sample.image_id == "1.png99"
    np.testing.assert_array_equal(sample.instances[0].mask[0], [[4, 2], [14, 2], [14, 12], [4, 12]])
    assert sample.instances[1].annotation_id == "1.png99:1"
    assert "2 objects, 2 classes of the attribute 'kind'" in dataset.description


def test_version_one_has_an_object_of_regions(tmp_path):
    content = {"1.png99": {**entry(), "regions": {"0": region(), "1": region()}}}
    dataset = load(write_via(tmp_path, content).parent, class_name="balloon")
    assert dataset.class_names == ("balloon",) and dataset.class_counts() == [2]
    assert "class 'balloon'" in dataset.description


def test_a_project(tmp_path):
    """Its options are the classes, also those that nobody used; its folder holds the images."""
    options = {"type": "dropdown", "options": {"dog": "Hund", "cat": "Katze"}}
    content = {
        "_via_settings": {"core": {"default_filepath": "photographs/"}},
        "_via_img_metadata": {"1.png99": entry(region(kind="cat"), region(kind="eel"))},
        "_via_attributes": {"region": {"kind": options}, "file": {}},
    }
    path = write_via(tmp_path, content, "project.json")
    image = write_image(tmp_path / "photographs" / "1.png")
    (tmp_path / "1.png").unlink()
    dataset = load(path)
    assert dataset.class_names == ("dog", "cat", "eel") and dataset[0].image == image
    assert [i.label for i in dataset[0].instances] == [1, 2]


SHAPES = {
    "rect": ({"name": "rect", "x": 2, "y": 3, "width": 8, "height": 5}, 40),
    "circle": ({"name": "circle", "cx": 10, "cy": 10, "r": 6}, np.pi * 36),
    "ellipse": ({"name": "ellipse", "cx": 12, "cy": 9, "rx": 8, "ry": 4}, np.pi * 32),
}


@pytest.mark.parametrize("shape, area", SHAPES.values(), ids=SHAPES.keys())
def test_shapes(tmp_path, shape, area):
    (instance,) = one(tmp_path, region(shape))[0].instances
    assert rasterise(instance.mask, (20, 30))[1].sum() == pytest.approx(area, rel=0.06)


def test_an_ellipse_is_turned_clockwise(tmp_path):
    """By an eighth of a circle: the long axis runs down to the right."""
    shape = {"name": "ellipse", "cx": 10, "cy": 10, "rx": 8, "ry": 1, "theta": np.pi / 4}
    (polygon,) = one(tmp_path, region(shape))[0].instances[0].mask
    far = polygon[np.argmax(polygon.sum(1))]
    np.testing.assert_allclose(far, [10 + 8 / np.sqrt(2)] * 2, atol=0.1)


LEFT_OUT = {
    "point": ({"name": "point", "cx": 1, "cy": 2}, "a point has no area"),
    "polyline": ({**SQUARE, "name": "polyline"}, "a polyline has no area"),
    "star": ({"name": "star"}, "unknown shape 'star'"),
    "no numbers": ({"name": "circle", "cx": "a", "cy": 1, "r": 2}, "its circle lacks numbers"),
    "no radius": ({"name": "circle", "cx": 1, "cy": 1}, "its circle lacks numbers"),
    "uneven": ({**SQUARE, "all_points_x": [1, 2]}, "its polygon lacks numbers"),
    "nothing": (None, "unknown shape 'None'"),
    "far": ({"name": "circle", "cx": 1e300, "cy": 1, "r": 2}, "not a finite number"),
    "flat": ({"name": "rect", "x": 1, "y": 1, "width": 0, "height": 9}, "it has no area"),
}


@pytest.mark.parametrize("shape, reason", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_outlines_nothing_is_counted(tmp_path, shape, reason):
    dataset = one(tmp_path, region(), region(shape))
    assert dataset.class_counts() == [1]
    (kind,) = dataset.report.counts
    assert reason in kind and "'1.png', region 1" in dataset.report.places(kind)[0]


ATTRIBUTES = {
    "the only one": ([{"fruit": "fig"}], "fruit"),
    "most regions have it": ([{"note": "x"}, {"k": "a"}, {"k": "b", "note": ""}], "k"),
    "called like it": ([{"colour": "red", "Label": "fig"}], "Label"),
    "class before name": ([{"name": "5", "class": "fig"}], "class"),
    "the first": ([{"fruit": "fig", "colour": "red"}], "fruit"),
    "ticked": ([{"fruit": {"fig": True, "nut": False}}], "fruit"),
    "none": ([{"fruit": ""}, {}], None),
}


@pytest.mark.parametrize("rows, expected", ATTRIBUTES.values(), ids=ATTRIBUTES.keys())
def test_which_attribute_is_the_class(tmp_path, rows, expected):
    dataset = one(tmp_path, *(region(**row) for row in rows))
    assert dataset.class_attribute == expected


def test_the_attribute_may_be_named(tmp_path):
    path = write_via(tmp_path, {"1.png99": entry(region(kind="a", colour="red"))})
    assert ViaDataset(path, class_attribute="colour").class_names == ("red",)
    with pytest.raises(DataError, match="no region has a value of 'size'"):
        ViaDataset(path, class_attribute="size")


def test_regions_without_a_class_or_with_several(tmp_path):
    rows = [{"k": "a"}, {"k": ""}, {"k": {"b": True, "c": True}}, {"k": 3}]
    dataset = one(tmp_path, *(region(**row) for row in rows))
    assert dataset.class_names == ("3", "a", "b") and dataset.class_counts() == [1, 1, 1]
    assert dataset.report.counts == {
        "region left out, it has no 'k'": 1,
        "region of several classes, the first is taken": 1,
    }


def test_images_are_not_looked_for_outside(tmp_path):
    write_image(tmp_path / "secret.png")
    path = write_via(tmp_path / "data", {"a": entry(region(), name="../secret.png")})
    with pytest.raises(DataError, match="1 of 1 images are missing"):
        load(path)
    write_image(tmp_path / "data" / "secret.png")
    assert load(path)[0].image == tmp_path / "data" / "secret.png"


def test_missing_images(tmp_path):
    content = {"a": entry(region()), "b": entry(name="gone.png")}
    path = write_via(tmp_path, content)
    with pytest.raises(DataError, match=r"1 of 2 images are missing: .*gone\.png"):
        load(path)
    assert len(load(path, skip_broken=True)) == 1
    elsewhere = tmp_path / "elsewhere"
    write_image(elsewhere / "1.png")
    write_image(elsewhere / "gone.png")
    assert load(path, images=elsewhere)[1].image == elsewhere / "gone.png"


@pytest.mark.parametrize("bad", [[], 3, {"filename": 5, "regions": []}, {"filename": "1.png"}])
def test_an_entry_that_is_no_image(tmp_path, bad):
    path = write_via(tmp_path, {"a": entry(region()), "b": bad})
    with pytest.raises(DataError, match=r"via_region_data\.json, 'b': expected an image"):
        load(path)
    dataset = load(path, skip_broken=True)
    assert len(dataset) == 1 and dataset.report.counts == {"entry left out, it is no image": 1}


def test_a_project_of_no_images(tmp_path):
    for images, message in (({}, "no images"), ([], "found list")):
        path = write_via(tmp_path, {"_via_img_metadata": images})
        with pytest.raises(DataError, match=message):
            load(path)


def test_several_files_need_a_split(tmp_path):
    for part in ("train", "val"):
        write_via(tmp_path / part, {"a": entry(region())})
    with pytest.raises(DataError, match="several annotation files .train/via.*, val/via"):
        load(tmp_path)
    assert load(f"{tmp_path}#train").path.parent.name == "train"


@pytest.mark.parametrize("split, images, objects", [("train", 61, 255), ("val", 13, 50)])
def test_real_balloons(split, images, objects):
    dataset = load(shared_path("datasets/balloon"), split=split, class_name="balloon")
    assert (len(dataset), dataset.class_counts()) == (images, [objects])
    assert dataset.class_names == ("balloon",) and dataset.report.total == 0
    assert dataset[0].read().ndim == 3
