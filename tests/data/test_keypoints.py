"""Keypoints through the matrix: where they go, what is out of sight, and which hand is which."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance
from kmaskrcnn.data.geometry import View, crop, flip, identity, resize
from kmaskrcnn.data.keypoints import checked_keypoints, warp_keypoints

NAMES = ("nose", "left_ear", "right_ear", "tail")
POINTS = np.array([[10, 5, 2], [6, 4, 1], [14, 4, 2], [0, 0, 0]], float)
SIZE = (20, 30)


def test_a_drawn_case():
    """Twice as large, then the part from (12, 4) on: the left ear is cut off."""
    view = crop(resize(identity(SIZE), (40, 60)), 12.5, 4, (30, 40))
    found = warp_keypoints(POINTS, view, NAMES)
    assert found.dtype == np.float32
    assert found.tolist() == [[7.5, 6, 2], [0, 0, 0], [15.5, 4, 2], [0, 0, 0]]


def test_the_borders_belong_to_the_view():
    corners = np.array([[0, 0, 2], [30, 20, 2], [30.01, 20, 2], [-0.01, 0, 2]])
    found = warp_keypoints(corners, identity(SIZE), NAMES)
    assert found[:, 2].tolist() == [2, 2, 0, 0]


@pytest.mark.parametrize("vertical", [False, True])
def test_a_mirror_changes_left_and_right(vertical):
    found = warp_keypoints(POINTS, flip(identity(SIZE), vertical), NAMES)
    x, y = (POINTS[:, 0], 20 - POINTS[:, 1]) if vertical else (30 - POINTS[:, 0], POINTS[:, 1])
    assert found[0].tolist() == [x[0], y[0], 2]
    assert found[1].tolist() == [x[2], y[2], 2] and found[2].tolist() == [x[1], y[1], 1]
    assert not found[3].any()


def test_two_mirrors_are_none():
    twice = warp_keypoints(
        warp_keypoints(POINTS, flip(identity(SIZE)), NAMES), flip(identity(SIZE)), NAMES
    )
    np.testing.assert_array_equal(twice, POINTS)
    turned = flip(flip(identity(SIZE)), vertical=True)  # half a turn: left stays left
    assert warp_keypoints(POINTS, turned, NAMES)[1].tolist() == [24, 16, 1]


def test_a_turned_view():
    quarter = View(np.array([[0.0, -1, 20], [1, 0, 0]]), (30, 20))
    found = warp_keypoints(POINTS, quarter, NAMES)
    assert found[:2].tolist() == [[15, 10, 2], [16, 6, 1]]


def test_no_keypoints_are_zeros():
    np.testing.assert_array_equal(checked_keypoints(Instance(0), NAMES, "a"), np.zeros((4, 3)))
    assert not warp_keypoints(np.zeros((4, 3)), identity(SIZE), NAMES).any()
    unknown = np.array([[np.nan, np.nan, 0]] * 4)
    checked = checked_keypoints(Instance(0, keypoints=unknown), NAMES, "a")
    assert not warp_keypoints(checked, identity(SIZE), NAMES).any()


def test_wrong_keypoints_name_the_annotation():
    with pytest.raises(DataError, match=r"a\.png, annotation 3: .*shape \(3, 3\), expected \(4, 3"):
        checked_keypoints(Instance(0, keypoints=POINTS[:3], annotation_id=3), NAMES, "a.png")
    wrong = POINTS.copy()
    wrong[0, 1] = np.inf
    with pytest.raises(DataError, match=r"annotation 3: a labelled keypoint is not finite"):
        checked_keypoints(Instance(0, keypoints=wrong, annotation_id=3), NAMES, "a.png")
