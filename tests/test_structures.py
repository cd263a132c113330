"""Detections: what they refuse, that they do not change, and that every form of them agrees."""

import json
import pickle
import threading
import tracemalloc

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from kmaskrcnn.ops.masks import paste_mask
from kmaskrcnn.structures import Detections

NAMES = ("deer", "otter", "tiger")


def some(count=4, size=(60, 80), seed=0, dtype=np.float32, **changes):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 0.6, (count, 2)) * size[::-1]
    boxes = np.concatenate([corners, corners + rng.uniform(5, 25, (count, 2))], axis=1)
    fields = {
        "boxes": boxes,
        "scores": np.linspace(0.95, 0.2, count),
        "labels": np.arange(count) % 3,
        "class_names": NAMES,
        "image_size": size,
        "mask_probabilities": rng.uniform(0.3, 1, (count, 14, 14)).astype(dtype),
    }
    if {"keypoints", "keypoint_names", "keypoint_skeleton"} & set(changes):
        fields |= {"keypoint_names": ["nose", "left_ear", "right_ear"]}
        fields |= {"keypoint_skeleton": [[0, 1], [0, 2]]}
    return Detections(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": np.zeros((4, 5))}, r"boxes: expected shape \(any, 4\), got \(4, 5\)"),
        ({"scores": np.ones(3)}, r"scores: expected shape \(4\), got \(3,\)"),
        ({"scores": [0.5, np.nan, 0.5, 0.5]}, r"finite scores, got nan in row 1"),
        ({"scores": [0.5, 0.5, 0.5, 1.5]}, r"scores in \[0, 1\], got 1.5 in row 3"),
        ({"boxes": np.full((4, 4), np.inf)}, r"finite boxes"),
        ({"boxes": np.array([[5.0, 5, 4, 9]] * 4)}, r"x2 ≥ x1 and y2 ≥ y1, got \[5"),
        ({"labels": [0, 1, 2, 3]}, r"labels from 0 to 2, got 3 in row 3"),
        ({"labels": [0, 1, 2, -1]}, r"labels from 0 to 2, got -1"),
        ({"labels": [0, 1, 2, 0.5]}, r"whole numbers in labels, got 0.5"),
        ({"labels": ["deer"] * 4}, r"labels: expected numbers"),
        ({"class_names": "deer"}, r"class_names as a list"),
        ({"image_size": (0, 80)}, r"image_size: expected \(height, width\)"),
        ({"image_size": (60, 80, 3)}, r"image_size: expected"),
        ({"mask_probabilities": np.zeros((4, 14, 7))}, r"square mask_probabilities"),
        ({"mask_probabilities": np.full((4, 7, 7), 2.0)}, r"mask_probabilities in \[0, 1\]"),
        ({"mask_probabilities": np.zeros((3, 7, 7))}, r"expected shape \(4, any, any\)"),
        ({"keypoints": np.zeros((4, 2, 3))}, r"keypoints: expected shape \(4, 3, 3\)"),
        ({"keypoints": np.zeros((3, 3, 3))}, r"keypoints: expected shape \(4, 3, 3\)"),
        ({"keypoints": np.full((4, 3, 3), np.nan)}, r"finite keypoints"),
        ({"keypoint_names": "nose"}, r"keypoint_names as a list of names, got 'nose'"),
        ({"keypoint_skeleton": [(0, 3)]}, r"pairs of numbers from 0 to 2, got \[0 3\]"),
        ({"keypoint_skeleton": [(0, 1, 2)]}, r"keypoint_skeleton: expected shape \(any, 2\)"),
    ],
)
def test_wrong_fields_are_refused_with_expected_and_got(changes, message):
    with pytest.raises(ValueError, match=message):
        some(**changes)


def test_types_and_that_nothing_can_be_changed():
    boxes = np.array([[1, 2, 30, 40]])
    found = Detections(boxes, [1], [2], list(NAMES), np.array([60, 80]))
    boxes[:] = 0
    assert found.boxes.tolist() == [[1, 2, 30, 40]]
    assert (found.boxes.dtype, found.labels.dtype) == (np.float32, np.int32)
    assert found.image_size == (60, 80)
    for array in (found.boxes, found.scores, found.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        found.scores = np.zeros(1)
    assert some(dtype=np.float16).mask_probabilities.dtype == np.float16


def test_indexing():
    found = some()
    assert len(found) == 4
    assert found[-1].scores.tolist() == found.scores[3:].tolist()
    assert found[1:3].names == ["otter", "tiger"]
    assert found[[2, 0]].names == ["tiger", "deer"]
    assert len(found[found.scores > 0.5]) == 2
    assert len(found[[]]) == 0
    assert [one.names for one in found] == [["deer"], ["otter"], ["tiger"], ["deer"]]
    assert np.array_equal(found[2].masks[0], found.masks[2])
    with pytest.raises(IndexError, match="4 of 4"):
        found[4]


def test_filter():
    found = some()
    assert found.filter(score=0.5).names == ["deer", "otter"]
    assert found.filter(classes="deer").labels.tolist() == [0, 0]
    assert found.filter(score=0.5, classes=["tiger", "otter"]).names == ["otter"]
    with pytest.raises(ValueError, match=r"expected classes among .*'deer'.*got \['hare'\]"):
        found.filter(classes=["deer", "hare"])


def test_every_form_of_the_masks_agrees():
    found = some(6)
    masks = found.masks
    assert masks.shape == (6, 60, 80) and masks.dtype == bool and masks.any(axis=(1, 2)).all()
    for i, rle in enumerate(found.rle()):
        assert np.array_equal(coco_mask.decode(rle).astype(bool), masks[i])
    assert found.area.tolist() == masks.sum(axis=(1, 2)).tolist()
    filled = found.replaced(mask_probabilities=np.ones((6, 14, 14)))
    for outlines, mask in zip(filled.polygons(), filled.masks, strict=True):
        assert sum(cv2.contourArea(o) for o in outlines) == pytest.approx(mask.sum(), abs=1)


def test_without_masks():
    found = some(mask_probabilities=None)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    assert np.allclose(found.area, sides[:, 0] * sides[:, 1])
    assert "segmentation" not in found.to_coco(1)[0]
    with pytest.raises(ValueError, match="no masks"):
        found.rle()


def test_nothing_found():
    nothing = Detections.empty(NAMES, (60, 80), mask_probabilities=np.zeros((0, 14, 14)))
    assert nothing.masks.shape == (0, 60, 80)
    assert nothing.area.shape == (0,)
    assert nothing.rle() == nothing.polygons() == nothing.to_coco(3) == nothing.names == []
    assert len(nothing.filter(score=0.5, classes="deer")) == 0
    image = np.full((60, 80, 3), 7, np.uint8)
    assert np.array_equal(nothing.draw(image), image)
    assert repr(nothing) == "Detections(0 in 60×80 px, with masks: nothing)"


def with_keypoints(count=4, **changes):
    points = np.random.default_rng(1).uniform(2, 58, (count, 3, 3)).astype(np.float32)
    return some(count, keypoints=points, **changes)


def test_keypoints_go_where_the_objects_go(tmp_path):
    found = with_keypoints()
    assert found.keypoints.dtype == np.float32 and not found.keypoints.flags.writeable
    assert found.keypoint_skeleton == ((0, 1), (0, 2)) and found.keypoint_names[0] == "nose"
    assert np.array_equal(found[[2, 0]].keypoints, found.keypoints[[2, 0]])
    assert np.array_equal(found.filter(classes="otter").keypoints, found.keypoints[1:2])
    assert np.array_equal(pickle.loads(pickle.dumps(found)).keypoints, found.keypoints)
    large = found.resized((120, 240))
    np.testing.assert_allclose(large.keypoints, found.keypoints * [3, 2, 1], rtol=1e-6)
    assert "with masks and keypoints: deer" in repr(found)
    assert "px, with keypoints: deer" in repr(with_keypoints(mask_probabilities=None))
    results = json.loads(found.save(tmp_path / "a.json").read_text())
    expected = found.keypoints[1] - np.float32([0.5, 0.5, 0])
    np.testing.assert_array_equal(np.reshape(results[1]["keypoints"], (3, 3)), expected)
    assert "keypoints" not in some().to_coco(0)[0] and some().keypoints is None


def test_no_objects_with_keypoints():
    nothing = with_keypoints(0)
    assert nothing.keypoints.shape == (0, 3, 3) and nothing.to_coco(1) == []
    assert nothing[[]].keypoints.shape == nothing.resized((9, 9)).keypoints.shape == (0, 3, 3)
    assert repr(nothing) == "Detections(0 in 60×80 px, with masks and keypoints: nothing)"


def test_keypoints_are_drawn_where_they_are():
    image = np.full((60, 80, 3), 100, np.uint8)
    points = [[[30.5, 20.5, 0.9], [30.5, 40.5, 0.9], [70.5, 20.5, 0.01]]]
    found = some(1, keypoints=points, boxes=[[20, 10, 40, 50]])
    plain = {"masks": False, "boxes": False, "captions": False}
    changed = (found.draw(image, **plain) != image).any(axis=2)
    assert changed[20:41, 30].all() and not changed[:, :27].any() and not changed[:, 35:].any()
    assert (found.draw(image, **plain, keypoint_score=0)[20, 70] != 100).any()
    assert np.array_equal(found.draw(image, **plain, keypoints=False), image)
    large = found.draw(image, **plain, long_side=160)
    assert (large[42:80, 61] != 100).any(axis=1).all()


@pytest.mark.parametrize("mode", ["detectron2", "torchvision", "matterport"])
def test_masks_are_pasted_as_asked(mode):
    found = some(2, mask_paste=mode)
    window, crop = paste_mask(found.mask_probabilities[1], found.boxes[1], (60, 80), mode=mode)
    region = found[1:].region(0)
    assert region.window == window and np.array_equal(region.crop, crop) and crop.any()


def test_to_coco():
    found = some()
    results = json.loads(json.dumps(found.to_coco(17, {"deer": 19, "otter": 3, "tiger": 8})))
    assert [r["category_id"] for r in results] == [19, 3, 8, 19]
    assert {r["image_id"] for r in results} == {17}
    x, y, width, height = results[1]["bbox"]
    assert np.allclose([x, y, x + width, y + height], found.boxes[1])
    assert coco_mask.area(results[1]["segmentation"]) == found.area[1]
    assert [r["category_id"] for r in found.to_coco(0)] == [1, 2, 3, 1]
    with pytest.raises(ValueError, match=r"category id.*\['otter', 'tiger'\]"):
        found.to_coco(0, {"deer": 1})


def test_pickle_and_threads():
    found = some(image=np.zeros((60, 80, 3), np.uint8))
    again = pickle.loads(pickle.dumps(found))
    assert repr(again) == repr(found)
    assert np.array_equal(again.masks, found.masks)
    assert not again.boxes.flags.writeable
    expected, answers = (found.rle(), found.draw().tobytes()), []
    work = lambda: answers.append((found.rle(), found.draw().tobytes()))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 8


def test_a_hundred_objects_on_a_large_photograph_need_little_memory():
    found = some(100, (3000, 4000))
    found.rle(), found.area  # noqa: B018  (first call: imports and buffers)
    tracemalloc.start()
    found.rle(), found.area  # noqa: B018
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # one full mask alone is 12e6 bytes


def test_draw_changes_only_a_copy_and_only_where_objects_are():
    image = np.full((60, 80, 3), 100, np.uint8)
    found = some(1, boxes=[[20, 20, 50, 40]])
    plain = found.draw(image, captions=False)
    changed = (plain != image).any(axis=2)
    assert (image == 100).all() and changed[25:35, 25:45].any()
    assert not changed[:18].any() and not changed[:, 53:].any()
    assert (found.draw(image) != plain).any()  # the caption
    assert found.draw(image, long_side=320).shape == (240, 320, 3)
    assert found.draw(image, masks=False, boxes=False, captions=False).tolist() == image.tolist()
    assert (found.draw(image, color_by="class") == found.draw(image)).all()  # label 0, row 0
    with pytest.raises(ValueError, match=r"expected \(60, 80\).*got \(80, 60\)"):
        found.draw(image.transpose(1, 0, 2))
    with pytest.raises(ValueError, match="needs the image"):
        found.draw()
    with pytest.raises(ValueError, match="'instance', 'class' or 'auto', got 'score'"):
        found.draw(image, color_by="score")


def test_save_by_suffix(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    found = some(image=image)
    path = found.save(tmp_path / "new" / "picture.png")
    assert np.array_equal(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), found.draw())
    path = found.save(tmp_path / "results.JSON", image_id=5)
    assert json.loads(path.read_text()) == found.to_coco(5)
    with pytest.raises(ValueError, match=r"expected a suffix among \.json .*\.png.*got '\.doc'"):
        found.save(tmp_path / "picture.doc")


def test_resized():
    found = some(image=np.zeros((60, 80, 3), np.uint8))
    large = found.resized((120, 240))
    assert np.allclose(large.boxes, found.boxes * [3, 2, 3, 2])
    assert large.masks.shape == (4, 120, 240) and large.image.shape == (120, 240, 3)
    assert large.area.sum() == pytest.approx(6 * found.area.sum(), rel=0.1)


def test_repr_names_few_and_counts_many():
    assert repr(some(2)) == "Detections(2 in 60×80 px, with masks: deer 0.95, otter 0.20)"
    many = repr(some(20, mask_probabilities=None))
    assert many == "Detections(20 in 60×80 px: 7 deer, 7 otter, 6 tiger; scores 0.95 … 0.20)"
