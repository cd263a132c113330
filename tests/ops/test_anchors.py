"""Anchors: literal cells and grids, a loop, doubling, an empty grid, the references' answers."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.anchors import cell_anchors, grid_anchors
from tests.shared import shared_path

SIZES, RATIOS, STRIDES = (32, 64, 128, 256, 512), (0.5, 1, 2), (4, 8, 16, 32, 64)


def test_a_literal_cell():
    # area 16² = 256: ratio 4 (height / width) is 8 wide and 32 high
    expected = [[-8, -8, 8, 8], [-4, -16, 4, 16]]
    np.testing.assert_array_equal(cell_anchors([16], [1, 4]), expected)


def test_order_of_sizes_and_ratios():
    size_first = cell_anchors([2, 4], [1, 4])
    np.testing.assert_array_equal(size_first[:, 2], [1, 0.5, 2, 1])
    ratio_first = cell_anchors([2, 4], [1, 4], ratio_first=True)
    np.testing.assert_array_equal(ratio_first[:, 2], [1, 2, 0.5, 1])


def test_rounding_to_whole_pixels():
    plain, rounded = cell_anchors([32], [0.5]), cell_anchors([32], [0.5], rounded=True)
    np.testing.assert_allclose(plain, [[-22.627417, -11.313708, 22.627417, 11.313708]])
    np.testing.assert_array_equal(rounded, [[-23, -11, 23, 11]])


def test_every_ratio_has_the_area_of_its_size():
    anchors = cell_anchors(SIZES, RATIOS).reshape(5, 3, 4)
    sides = anchors[..., 2:] - anchors[..., :2]
    np.testing.assert_allclose(sides.prod(-1), np.square(SIZES)[:, None] * np.ones(3), rtol=1e-5)
    np.testing.assert_allclose(sides[..., 1] / sides[..., 0], np.tile(RATIOS, (5, 1)), rtol=1e-5)


@pytest.mark.parametrize("sizes, ratios", [([], [1]), ([1], []), ([0], [1]), ([8], [-1, 1])])
def test_impossible_anchors_are_refused(sizes, ratios):
    with pytest.raises(ValueError, match="at least one positive number, got"):
        cell_anchors(sizes, ratios)


def test_a_literal_grid():
    grid = grid_anchors([1, 2], 10, np.array([[-1, -2, 1, 2]], np.float32))
    np.testing.assert_array_equal(grid, [[-1, -2, 1, 2], [9, -2, 11, 2]])
    middle = grid_anchors([1, 1], 10, np.array([[-1, -2, 1, 2]], np.float32), offset=0.5)
    np.testing.assert_array_equal(middle, [[4, 3, 6, 7]])


def test_grid_equals_a_loop_over_y_x_anchor():
    cell = cell_anchors([8, 16], RATIOS)
    expected = [
        anchor + np.float32([x * 5, y * 3, x * 5, y * 3])
        for y in range(4)
        for x in range(3)
        for anchor in cell
    ]
    np.testing.assert_array_equal(grid_anchors([4, 3], (3, 5), cell), expected)


def test_anchors_double_with_the_image():
    once = grid_anchors([3, 4], 8, cell_anchors([16, 32], RATIOS))
    twice = grid_anchors([3, 4], 16, cell_anchors([32, 64], RATIOS))
    np.testing.assert_allclose(2 * once, twice, rtol=1e-6)


def test_an_empty_grid_has_no_anchors_and_sizes_may_be_unknown():
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 1])])
    def of_features(features):
        return grid_anchors(tf.shape(features)[1:3], 4, cell_anchors([8], RATIOS))

    assert of_features(np.zeros((1, 0, 5, 1), np.float32)).shape == (0, 4)
    assert of_features(np.zeros((1, 2, 5, 1), np.float32)).shape == (30, 4)


@pytest.mark.parametrize(
    "peer, rounded, offset", [("torchvision", True, 0), ("detectron2", False, 0.5)]
)
def test_pyramids_equal_the_references(peer, rounded, offset):
    answers = np.load(shared_path("parity/ops/anchors.npz"))
    height, width = answers["image"]
    levels = [
        grid_anchors(
            [height // stride, width // stride],
            stride,
            cell_anchors([size], RATIOS, rounded=rounded),
            offset=offset,  # the answers are of Detectron2's class as it comes, with offset 0.5
        )
        for size, stride in zip(SIZES, STRIDES, strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(levels), answers[peer], atol=1e-3)


def test_one_level_equals_detectron2_c4():
    answers = np.load(shared_path("parity/ops/anchors.npz"))
    anchors = grid_anchors(answers["image"] // 16, 16, cell_anchors(SIZES, RATIOS), offset=0.5)
    np.testing.assert_allclose(anchors, answers["detectron2_c4"], atol=1e-3)


def test_anchors_in_float64():
    cell = cell_anchors([2], [0.5], dtype="float64")
    anchors = grid_anchors([1, 2], 3, cell)
    assert anchors.dtype == tf.float64
    half = np.sqrt(2)  # of the width, twice the height
    np.testing.assert_allclose(anchors[1], [3 - half, -half / 2, 3 + half, half / 2], rtol=1e-15)
