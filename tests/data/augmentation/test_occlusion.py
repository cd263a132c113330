"""What is left of covered objects, on a canvas of 10 × 12 drawn by hand."""

import numpy as np
import pytest

from kmaskrcnn.data.augmentation.occlusion import cover
from kmaskrcnn.data.encode import Truths

SIZE = (10, 12)


def truths(boxes, masks=None, keypoints=None, crowd=None) -> Truths:
    count = len(boxes)
    return Truths(
        np.array(boxes, np.float32),
        np.arange(count, dtype=np.int32),
        np.array(crowd or [False] * count),
        masks or [((0, 0, 0, 0), np.zeros((0, 0), bool))] * count,
        np.zeros((count, 0, 3), np.float32) if keypoints is None else keypoints,
    )


def full(left, top, right, bottom):
    return (left, top, right, bottom), np.ones((bottom - top, right - left), bool)


def covered(left, top, right, bottom) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_mask_loses_what_is_covered_and_its_box_one_side():
    """The other sides stay where the outline says, between pixels."""
    before = truths([[1.75, 2.25, 8.5, 7.75]], [full(2, 2, 8, 8)])
    after = cover(before, covered(6, 0, 12, 10), 0.1)
    window, crop = after.masks[0]
    assert window == (2, 2, 6, 8) and crop.all() and crop.shape == (6, 4)
    np.testing.assert_array_equal(after.boxes, [[1.75, 2.25, 6, 7.75]])
    np.testing.assert_array_equal(before.boxes, [[1.75, 2.25, 8.5, 7.75]])


def test_a_hole_leaves_the_box():
    after = cover(truths([[2, 2, 8, 8]], [full(2, 2, 8, 8)]), covered(4, 4, 6, 6), 0.1)
    assert after.masks[0][0] == (2, 2, 8, 8) and after.masks[0][1].sum() == 32
    np.testing.assert_array_equal(after.boxes, [[2, 2, 8, 8]])


@pytest.mark.parametrize(("right", "left_over"), [(7, True), (8, False), (12, False)])
def test_too_little_left_is_left_out(right, left_over):
    """Of ten columns 2 … 12; three, two or none stay, and 0.3 must."""
    before = truths([[2, 2, 12, 6], [0, 8, 3, 9]], [full(2, 2, 12, 6), full(0, 8, 3, 9)])
    after = cover(before, covered(2, 0, right + 2, 8), 0.3)
    assert after.labels.tolist() == ([0, 1] if left_over else [1])
    assert len(after.masks) == len(after.boxes) == len(after.crowd) == len(after.labels)


def test_what_is_all_covered_goes_even_if_nothing_must_stay():
    before = truths([[2, 2, 5, 5], [0.5, 0.5, 1.5, 1.5]], [full(2, 2, 5, 5), *truths([0]).masks])
    assert cover(before, covered(0, 0, 6, 6), 0.0).labels.tolist() == []


def test_boxes_without_masks_stay_as_they_are_or_go():
    before = truths([[2, 2, 6, 6], [11.5, 9.5, 12, 10]])
    assert cover(before, covered(2, 2, 6, 4), 0.5).boxes.tolist() == before.boxes.tolist()
    assert cover(before, covered(2, 2, 6, 5), 0.5).labels.tolist() == [1]


def test_covered_keypoints_are_hidden_and_unlabelled_ones_stay_so():
    points = np.array([[[3.5, 3.5, 2], [8.5, 3.5, 2], [3.5, 4.5, 1], [0, 0, 0], [12, 10, 2]]])
    before = truths([[0, 0, 12, 10]], [full(0, 0, 12, 10)], points.astype(np.float32))
    after = cover(before, covered(0, 0, 6, 6), 0.1)
    assert after.keypoints[0, :, 2].tolist() == [1, 2, 1, 0, 2]
    np.testing.assert_array_equal(after.keypoints[..., :2], before.keypoints[..., :2])


def test_nothing_to_cover():
    empty = truths(np.zeros((0, 4)))
    assert cover(empty, covered(0, 0, 5, 5), 0.1).boxes.shape == (0, 4)
