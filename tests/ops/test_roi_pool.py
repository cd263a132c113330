"""RoIPool and RoIWarp: by hand, against loops, finite differences and torchvision."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import roi_align, roi_pool, roi_warp
from kmaskrcnn.ops.roi_pool import _bins, _round
from tests.ops.roi_align_cases import PYRAMID_SCALES, random_boxes, random_pyramid
from tests.ops.roi_align_loop import finite_differences
from tests.ops.roi_pool_loop import roi_pool_loop, roi_warp_loop
from tests.shared import shared_path

SQUARE = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)  # cell (y, x) holds 5 y + x


def one_level(operation, features, boxes, images=None, **arguments):
    boxes = np.asarray(boxes, np.float32)
    zeros = np.zeros(len(boxes), np.int32)
    arguments = {"scales": [1.0], "output_size": 2, **arguments}
    return operation([features], boxes, zeros if images is None else images, zeros, **arguments)


def test_halves_are_rounded_away_from_zero():
    values = [0.5, 1.5, -0.5, -2.5, 0.49999997, 2.4, -2.6, 16777215.0]
    expected = [1, 2, -1, -3, 0, 2, -3, 16777215]
    assert _round(tf.constant(values)).numpy().tolist() == expected


def test_bins_are_the_same_in_a_graph():
    # in which TensorFlow would multiply by 1 / 3 and end some bins a cell late
    ends = tf.constant([[0.0, length] for length in range(60)])
    eager, graph = (run(ends, 3, 100) for run in (_bins, tf.function(_bins)))
    np.testing.assert_array_equal(eager, graph)
    assert eager[6].numpy().tolist() == [[0, 3], [2, 5], [4, 7]]


def test_a_pool_drawn_by_hand():
    # From 0.6 to 3.2 are the cells 1, 2, 3: bins of 1.5 cells touch 1–2 and 2–3.
    pooled = one_level(roi_pool, SQUARE, [[0.6, 0.6, 3.2, 3.2]])
    np.testing.assert_array_equal(pooled[0, :, :, 0], [[12, 13], [17, 18]])
    # Rows 4 to 7 lie half outside: the second bin has no cell. Columns -1 to 0 are one bin each.
    pooled = one_level(roi_pool, SQUARE, [[-1, 4, 0, 7]])
    np.testing.assert_array_equal(pooled[0, :, :, 0], [[0, 20], [0, 0]])
    # Empty and inverted boxes are a cell that every bin touches.
    pooled = one_level(roi_pool, SQUARE, [[3, 2, 3, 2], [3, 2, 1, 0]])
    np.testing.assert_array_equal(pooled, np.full((2, 2, 2, 1), 13))


@pytest.mark.parametrize("output_size", [7, (2, 3)])
def test_pool_equals_a_loop(output_size):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    boxes[:2] = boxes[:2, [2, 3, 0, 1]]  # inverted
    arguments = dict(scales=PYRAMID_SCALES, output_size=output_size)
    pooled = roi_pool(features, boxes, images, levels, **arguments)
    expected = roi_pool_loop(features, boxes, images, levels, **arguments)
    assert pooled.shape == expected.shape and np.count_nonzero(expected) > 600
    np.testing.assert_array_equal(pooled, expected)


def test_pool_equals_torchvision():
    answers = np.load(shared_path("parity/ops/roi.npz"))
    pooled = one_level(
        roi_pool,
        answers["features"],
        answers["boxes"],
        answers["image_index"],
        scales=[1 / 4],
        output_size=7,
    )
    np.testing.assert_array_equal(pooled, answers["roi_pool/size_7"])


def test_gradient_of_the_pool_against_finite_differences_of_a_loop():
    features, (boxes, images, levels) = random_pyramid(2, "float64"), random_boxes(12)
    rois = boxes.astype(np.float64), images, levels
    weights = np.random.default_rng(5).standard_normal((12, 3, 3, 2))
    arguments = dict(scales=PYRAMID_SCALES, output_size=3)
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = tf.reduce_sum(weights * roi_pool(features, *rois, **arguments))
    gradients = tape.gradient(value, features)
    assert all(np.any(gradient) for gradient in gradients)

    def loss(moved):
        return np.sum(weights * roi_pool_loop(moved, *rois, **arguments))

    for level, place, difference in finite_differences(loss, features):
        np.testing.assert_allclose(
            tf.convert_to_tensor(gradients[level])[place], difference, atol=1e-8
        )


def test_the_first_of_equal_cells_gets_the_gradient():
    features = tf.zeros((1, 3, 3, 1))
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = one_level(roi_pool, features, [[1, 1, 2, 2]], output_size=1)
    expected = np.zeros((3, 3))
    expected[1, 1] = 1
    gradient = tf.convert_to_tensor(tape.gradient(pooled, features))
    np.testing.assert_array_equal(gradient[0, :, :, 0], expected)


def test_a_warp_drawn_by_hand():
    # From 0.6 to 3.2 become the cells from 1 to 3: a bin is one cell, sampled around its centre.
    box = [[0.6, 0.6, 3.2, 3.2]]
    pooled = one_level(roi_warp, SQUARE, box)
    np.testing.assert_allclose(pooled[0, :, :, 0], [[6, 7], [11, 12]], atol=1e-5)
    # Of the bin's 2×2 samples the largest lies a quarter of a cell to the lower right: 6 · 0.25.
    pooled = one_level(roi_warp, SQUARE, box, reduce="max")
    np.testing.assert_allclose(pooled[0, :, :, 0], [[7.5, 8.5], [12.5, 13.5]], atol=1e-5)
    pooled = one_level(roi_warp, SQUARE, box, aligned=False)
    np.testing.assert_allclose(pooled[0, :, :, 0], [[9, 10], [14, 15]], atol=1e-5)


@pytest.mark.parametrize("reduce", ["average", "max"])
@pytest.mark.parametrize("aligned", [True, False])
def test_warp_equals_a_loop(roi_align_implementation, reduce, aligned):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    boxes[:2] = boxes[:2, [2, 3, 0, 1]]
    arguments = dict(scales=PYRAMID_SCALES, output_size=3, reduce=reduce, aligned=aligned)
    pooled = roi_warp(features, boxes, images, levels, **arguments)
    expected = roi_warp_loop(features, boxes, images, levels, **arguments)
    np.testing.assert_allclose(pooled, expected, atol=1e-4)


def test_gradient_of_the_warp_against_finite_differences_of_a_loop():
    features, (boxes, images, levels) = random_pyramid(2), random_boxes(12)
    weights = np.random.default_rng(5).standard_normal((12, 3, 3, 2)).astype(np.float32)
    arguments = dict(scales=PYRAMID_SCALES, output_size=3)
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = tf.reduce_sum(weights * roi_warp(features, boxes, images, levels, **arguments))
    gradients = tape.gradient(value, features)

    def loss(moved):
        return np.sum(weights * roi_warp_loop(moved, boxes, images, levels, **arguments))

    for level, place, difference in finite_differences(loss, features):
        np.testing.assert_allclose(gradients[level].numpy()[place], difference, atol=1e-4)


def test_a_warp_of_whole_cells_is_an_align():
    features, (_, images, levels) = random_pyramid(), random_boxes(8)
    boxes = np.float32([[16, 0, 48, 64]] * 8)
    arguments = dict(scales=PYRAMID_SCALES, output_size=4)
    warped = roi_warp(features, boxes, images, levels, **arguments)
    aligned = roi_align(features, boxes, images, levels, **arguments)
    np.testing.assert_allclose(warped, aligned, atol=1e-5)


@pytest.mark.parametrize("operation", [roi_pool, roi_warp])
def test_image_and_box_doubled(operation):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    once = operation(features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=3)
    halves = [scale / 2 for scale in PYRAMID_SCALES]
    twice = operation(features, 2 * boxes, images, levels, scales=halves, output_size=3)
    np.testing.assert_allclose(once, twice, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("operation", [roi_pool, roi_warp])
def test_dtypes(operation, dtype):
    features, (boxes, images, levels) = random_pyramid(3, dtype), random_boxes(9)
    arguments = dict(scales=PYRAMID_SCALES, output_size=2)
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = operation(features, boxes, images, levels, **arguments)
    assert pooled.dtype == dtype
    exact = [tf.cast(feature, "float32") for feature in features]
    expected = operation(exact, boxes, images, levels, **arguments)
    tolerance = {"float32": 0, "float64": 1e-4, "bfloat16": 4e-2, "float16": 4e-3}[dtype]
    tolerance *= operation is roi_warp  # a maximum is one of the values
    np.testing.assert_allclose(tf.cast(pooled, "float32"), expected, atol=tolerance)
    assert {gradient.dtype.name for gradient in tape.gradient(pooled, features)} == {dtype}


@pytest.mark.parametrize("operation", [roi_pool, roi_warp])
def test_shapes_that_are_not_known_and_no_boxes(operation, roi_align_implementation):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    specs = [tf.TensorSpec([None, None, None, 5])] * 3
    rois = [tf.TensorSpec([None, 4]), *[tf.TensorSpec([None], tf.int32)] * 2]

    @tf.function(input_signature=[specs, *rois])
    def step(features, boxes, images, levels):
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = operation(
                features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=(2, 3)
            )
        assert pooled.shape.as_list() == [None, 2, 3, 5]
        return pooled, [tf.convert_to_tensor(each) for each in tape.gradient(pooled, features)]

    pooled, gradients = step(features, boxes, images, levels)
    eager = operation(features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=(2, 3))
    np.testing.assert_allclose(pooled, eager, atol=1e-5)
    assert [gradient.shape for gradient in gradients] == [feature.shape for feature in features]
    empty, gradients = step(features, boxes[:0], images[:0], levels[:0])
    assert empty.shape == (0, 2, 3, 5)
    assert not any(np.any(gradient) for gradient in gradients)


HOSTILE = [
    [np.nan, 0, 10, 10],
    [0, 0, np.inf, 10],
    [-np.inf, -np.inf, np.inf, np.inf],
    [-3e38, -3e38, 3e38, 3e38],
    [1e4, 1e4, 2e4, 2e4],
    [-500, -500, -400, -400],
]


@pytest.mark.parametrize("operation", [roi_pool, roi_warp])
def test_hostile_boxes_give_zeros(operation):
    features = tf.ones((1, 4, 5, 2))
    assert not np.any(one_level(operation, features, HOSTILE))


def test_a_box_much_larger_than_the_features():
    pooled = one_level(roi_pool, SQUARE, [[-1e6, -1e6, 1e6, 1e6]], output_size=3)
    expected = np.zeros((3, 3))
    expected[1, 1] = 24  # the bin in the middle holds all the features
    np.testing.assert_array_equal(pooled[0, :, :, 0], expected)


@pytest.mark.parametrize("operation", [roi_pool, roi_warp])
def test_wrong_arguments(operation):
    features, box = tf.ones((1, 4, 4, 1)), [[0, 0, 4, 4]]
    with pytest.raises(ValueError, match="output_size"):
        one_level(operation, features, box, output_size=0)
    with pytest.raises(ValueError, match="one scale per level"):
        one_level(operation, features, box, scales=[1.0, 0.5])
    with pytest.raises(ValueError, match=r"boxes \(R, 4\)"):
        one_level(operation, features, [[0, 0, 4]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="image index beyond the batch"):
        one_level(operation, features, box, images=[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="level beyond the pyramid"):
        operation([features], np.float32(box), [0], [1], scales=[1.0], output_size=2)
