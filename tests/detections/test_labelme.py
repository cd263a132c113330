"""LabelMe files: what is in them, and that their polygons hold the masks."""

import json

import numpy as np
import pytest
from skimage.measure import grid_points_in_poly

from kmaskrcnn.structures import Detections
from tests.detections.some import NAMES, of_boxes, of_masks, probable, random_masks


def filled(shapes, size):
    mask = np.zeros(size, bool)
    for shape in shapes:
        mask |= grid_points_in_poly(size, np.array(shape["points"])[:, ::-1] - 0.5)
    return mask


def parts_and_hole():
    masks = np.zeros((2, 40, 50), bool)
    masks[0, 5:15, 5:20] = masks[0, 20:35, 5:30] = True
    masks[0, 25:30, 10:15] = False
    masks[1, 3:9, 30:45] = True
    return masks


def test_a_file_holds_what_labelme_wants():
    found = of_masks(parts_and_hole(), scores=[0.9, 0.5])
    content = json.loads(json.dumps(found.to_labelme("photos/a.jpg", tolerance=0)))
    assert content["imagePath"] == "photos/a.jpg" and content["imageData"] is None
    assert (content["imageHeight"], content["imageWidth"]) == (40, 50)
    assert {"version", "flags", "shapes"} <= set(content)
    first, second, third = content["shapes"]
    assert [s["label"] for s in content["shapes"]] == ["deer", "deer", "otter"]
    assert [s["group_id"] for s in content["shapes"]] == [1, 1, None]
    assert {s["shape_type"] for s in content["shapes"]} == {"polygon"}
    assert third["description"] == "score 0.500"
    assert sorted(third["points"]) == [[30, 3], [30, 9], [45, 3], [45, 9]]
    assert np.array_equal(filled([first, second], (40, 50)), found.masks[0])


def test_what_has_no_pixels_is_a_rectangle():
    (shape,) = of_boxes([[1, 2, 30, 40]]).to_labelme("a.jpg")["shapes"]
    assert (shape["shape_type"], shape["points"]) == ("rectangle", [[1, 2], [30, 40]])
    empty = Detections([[1, 2, 3, 4]], [1], [0], NAMES, (9, 9), np.zeros((1, 7, 7)))
    assert empty.to_labelme("a.jpg")["shapes"][0]["shape_type"] == "rectangle"
    assert probable(0).to_labelme("a.jpg")["shapes"] == []


def test_the_files_path_is_relative_to_the_file(tmp_path):
    found = of_masks(random_masks(3), image=tmp_path / "photos" / "ä.jpg")
    for folder, expected in (("photos", "ä.jpg"), ("corrected", "../photos/ä.jpg")):
        path = found.save(tmp_path / folder / "a.json", format="labelme", tolerance=0)
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["imagePath"] == expected
        assert content["shapes"] == found.to_labelme(tolerance=0)["shapes"]
    other = found.save(tmp_path / "b.json", image=tmp_path / "c.jpg", format="labelme")
    assert json.loads(other.read_text())["imagePath"] == "c.jpg"
    assert isinstance(json.loads(found.save(tmp_path / "coco.json").read_text()), list)


def test_without_the_images_path_it_is_refused(tmp_path):
    for image in (None, np.zeros((40, 50, 3), np.uint8)):
        with pytest.raises(ValueError, match="LabelMe opens the image's file: expected its path"):
            of_masks(random_masks(3), image=image).save(tmp_path / "a.json", format="labelme")


@pytest.mark.parametrize(
    "name, format, message",
    [
        ("a.json", "voc", "a format among coco, labelme, csv, picture, got 'voc'"),
        ("a.png", "labelme", r"labelme is written to \.json, got the suffix '\.png'"),
        ("a.json", "picture", r"picture is written to \.png"),
        ("a.txt", None, r"expected a suffix among \.json \.csv \.png"),
    ],
)
def test_formats_and_suffixes_that_do_not_fit_are_refused(tmp_path, name, format, message):
    with pytest.raises(ValueError, match=message):
        of_masks(random_masks(3)).save(tmp_path / name, format=format)
