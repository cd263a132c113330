"""matterport's crop of RoIs: by hand, against a loop, finite differences, and untouched boxes."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import roi_crop
from tests.ops.roi_align_cases import random_boxes, random_pyramid
from tests.ops.roi_align_loop import finite_differences
from tests.ops.roi_pool_loop import roi_crop_loop


def random_normalised(count=40):
    """Boxes inside, across the border and outside; images and levels."""
    boxes, images, levels = random_boxes(count)
    boxes[:2] = boxes[:2, [2, 3, 0, 1]]  # inverted
    return boxes / np.float32([79, 63, 79, 63]), images, levels


def test_a_crop_drawn_by_hand():
    # Cell (y, x) holds 10 y + x, and 1 is the last cell: the box goes from cell (2, 0) to (4, 2).
    features = (10 * np.arange(5.0)[:, None] + np.arange(5.0)).astype("f").reshape(1, 5, 5, 1)
    pooled = roi_crop([features], [[0, 0.5, 0.5, 1]], [0], [0], output_size=3)
    np.testing.assert_allclose(pooled[0, :, :, 0], [[20, 21, 22], [30, 31, 32], [40, 41, 42]])
    outside = roi_crop([features], [[0.5, 0.5, 1.5, 1.5]], [0], [0], output_size=3)
    np.testing.assert_allclose(outside[0, :, :, 0], [[22, 24, 0], [42, 44, 0], [0, 0, 0]])


def test_equals_a_loop():
    features, rois = random_pyramid(), random_normalised()
    pooled = roi_crop(features, *rois, output_size=7)
    np.testing.assert_allclose(pooled, roi_crop_loop(features, *rois, output_size=7), atol=1e-5)


def test_boxes_are_not_touched():
    # Clipped boxes end on the border, where the last bit decides between a value and zero.
    generator = np.random.default_rng(8)
    boxes = generator.random((500, 4)).astype(np.float32)
    boxes[:, 2:] = 1
    features = tf.ones((1, 37, 53, 1))
    zeros = np.zeros(500, np.int32)
    pooled = roi_crop([features], boxes, zeros, zeros, output_size=7)
    direct = tf.image.crop_and_resize(features, boxes[:, [1, 0, 3, 2]], zeros, (7, 7))
    np.testing.assert_array_equal(pooled, direct)
    assert 0 < np.count_nonzero(pooled == 0) < 500 * 13  # some fall off, most do not


def test_gradient_against_finite_differences_of_a_loop():
    features, rois = random_pyramid(2), random_normalised(12)
    weights = np.random.default_rng(5).standard_normal((12, 3, 3, 2)).astype(np.float32)
    boxes = tf.constant(rois[0])
    with tf.GradientTape() as tape:
        tape.watch([features, boxes])
        value = tf.reduce_sum(weights * roi_crop(features, boxes, *rois[1:], output_size=3))
    gradients, of_boxes = tape.gradient(value, [features, boxes])
    assert of_boxes is None

    def loss(moved):
        return np.sum(weights * roi_crop_loop(moved, *rois, output_size=3))

    for level, place, difference in finite_differences(loss, features):
        np.testing.assert_allclose(gradients[level].numpy()[place], difference, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "float16"])
def test_dtypes(dtype):
    features, rois = random_pyramid(dtype=dtype), random_normalised()
    pooled = roi_crop(features, *rois, output_size=2)
    assert pooled.dtype == dtype
    exact = roi_crop([tf.cast(each, "float32") for each in features], *rois, output_size=2)
    np.testing.assert_allclose(tf.cast(pooled, "float32"), exact, atol=2e-2)


def test_no_boxes_and_hostile_ones():
    features = random_pyramid()
    none = np.zeros(0, np.int32)
    assert roi_crop(features, np.zeros((0, 4)), none, none, output_size=2).shape == (0, 2, 2, 5)
    boxes = [[np.nan, 0, 1, 1], [0, 0, np.inf, 1], [-3e38, -3e38, 3e38, 3e38], [2, 2, 3, 3]]
    zeros = np.zeros(4, np.int32)
    assert not np.any(roi_crop(features, boxes, zeros, zeros, output_size=2))


def test_wrong_arguments():
    features, box = [tf.ones((1, 4, 4, 1))], [[0.0, 0, 1, 1]]
    with pytest.raises(ValueError, match="output_size"):
        roi_crop(features, box, [0], [0], output_size=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="image index"):
        roi_crop(features, box, [1], [0], output_size=2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="level"):
        roi_crop(features, box, [0], [1], output_size=2)
