"""Masks known to the pixel: held, refused, chosen, resized, pickled as the others are."""

import pickle

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from kmaskrcnn.ops.regions import make_region
from kmaskrcnn.structures import Detections
from tests.detections.some import of_boxes, of_masks, probable, random_masks

PIXEL = make_region((1, 1, 2, 2), np.ones((1, 1), bool))


def test_exact_masks_come_back_exactly():
    masks = random_masks()
    found = of_masks(masks)
    assert found.has_masks and np.array_equal(found.masks, masks)
    assert found.area.tolist() == masks.sum(axis=(1, 2)).tolist()
    for rle, mask in zip(found.rle(), masks, strict=True):
        assert np.array_equal(coco_mask.decode(rle).astype(bool), mask)
    assert np.array_equal(found[[3, 1]].masks, masks[[3, 1]])
    assert np.array_equal(found[found.scores > 0.7].masks, masks[found.scores > 0.7])
    assert np.array_equal(found[2:4].masks, masks[2:4]) and len(found[[]].masks) == 0
    again = pickle.loads(pickle.dumps(found))
    assert np.array_equal(again.masks, masks) and type(again) is Detections
    assert "with masks" in repr(found)


def test_exact_masks_cannot_be_changed():
    crop = np.ones((1, 1), bool)
    found = of_boxes([[1, 1, 2, 2]], mask_regions=[((1, 1, 2, 2), crop)])
    crop[:] = False
    assert found.area.tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        found.region(0).crop[:] = False
    assert found[0].mask_regions[0].crop is found.mask_regions[0].crop  # not copied again


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"mask_regions": []}, "expected 1 mask_regions, one a box, got 0"),
        ({"mask_regions": [((0, 0, 2, 2), PIXEL.crop)]}, r"window's size \(2, 2\)"),
        ({"mask_regions": [((80, 1, 81, 2), PIXEL.crop)]}, r"inside the image of \(60, 80\).*80"),
        ({"mask_regions": [((-1, 1, 0, 2), PIXEL.crop)]}, "inside the image"),
        (
            {"mask_regions": [PIXEL], "mask_probabilities": np.ones((1, 7, 7))},
            "mask_probabilities or mask_regions, got both",
        ),
    ],
)
def test_wrong_exact_masks_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        of_boxes([[1, 1, 2, 2]], **changes)


def test_resized_exact_masks():
    masks = random_masks()
    double = of_masks(masks).resized((80, 100))
    assert np.array_equal(double.masks, masks.repeat(2, axis=1).repeat(2, axis=2))


def test_pixels_without_masks_are_the_box():
    found = of_boxes([[2, 3, 5, 9], [-4, 50, 3.6, 99]])
    assert found.pixels(0).window == (2, 3, 5, 9) and found.pixels(0).area == 18
    assert found.pixels(1).window == (0, 50, 4, 60)
    assert not found.has_masks and probable().pixels(1).window == probable().region(1).window
