"""RoIAlign, on the C++ op and on its fallback: from a case drawn by hand up to gradients."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import library, roi_align, roi_align_fallback
from tests.ops.roi_align_cases import (
    PYRAMID_SCALES,
    TOLERANCE,
    pool,
    random_boxes,
    random_pyramid,
)
from tests.ops.roi_align_loop import finite_differences, roi_align_loop


@pytest.fixture
def implementation(roi_align_implementation: str) -> str:
    return roi_align_implementation


def test_a_case_drawn_by_hand(implementation):
    # Pixel (y, x) holds 10 y + x, so a bilinear sample holds 10 Y + X of its own position.
    rows = [
        [0, 1, 2, 3, 4],
        [10, 11, 12, 13, 14],
        [20, 21, 22, 23, 24],
        [30, 31, 32, 33, 34],
        [40, 41, 42, 43, 44],
    ]
    features = np.reshape(np.float32(rows), (1, 5, 5, 1))
    # The box from (1, 1) to (4, 3) has bins of 1.5 × 1 px, centred at x 1.75, 3.25 and y 1.5, 2.5;
    # in aligned coordinates pixel centres lie at + 0.5.
    pooled = pool(features, [[1, 1, 4, 3]])
    np.testing.assert_allclose(pooled[0, :, :, 0], [[11.25, 12.75], [21.25, 22.75]], atol=1e-5)
    pooled = pool(features, [[1, 1, 4, 3]], aligned=False)
    np.testing.assert_allclose(pooled[0, :, :, 0], [[16.75, 18.25], [26.75, 28.25]], atol=1e-5)


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [1, 2, 3])
@pytest.mark.parametrize("output_size", [7, (2, 3)])
def test_equals_a_loop(implementation, aligned, sampling_ratio, output_size):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    arguments = dict(
        scales=PYRAMID_SCALES,
        output_size=output_size,
        sampling_ratio=sampling_ratio,
        aligned=aligned,
    )
    pooled = pool(features, boxes, images, levels, **arguments)
    expected = roi_align_loop(features, boxes, images, levels, **arguments)
    assert pooled.shape == expected.shape
    np.testing.assert_allclose(pooled, expected, atol=TOLERANCE[implementation, "float32"])


@pytest.mark.parametrize("aligned", [True, False])
def test_samples_exactly_one_pixel_outside(implementation, aligned):
    # Where pooling jumps to zero: corners and sides on a lattice on which samples fall on the jump.
    features = tf.random.stateless_normal((1, 16, 20, 2), (5, 6))
    corners = np.stack(np.meshgrid(range(-70, 70, 14), range(-70, 84, 14)), -1).reshape(-1, 1, 2)
    sides = np.array([[28, 28], [84, 56], [140, 84]])
    boxes = np.float32(np.concatenate(np.broadcast_arrays(corners, corners + sides), -1))
    boxes = boxes.reshape(-1, 4) + (2 if aligned else 0)
    arguments = dict(scales=[1 / 4], output_size=7, aligned=aligned)
    zeros = np.zeros(len(boxes), np.int32)
    pooled = pool(features, boxes, **arguments)
    expected = roi_align_loop([features], boxes, zeros, zeros, **arguments)
    np.testing.assert_allclose(pooled, expected, atol=TOLERANCE[implementation, "float32"])


def test_features_of_one_pixel(implementation):
    features = tf.fill((1, 1, 1, 3), 5.0)
    pooled = pool(features, [[0.0, 0, 1, 1], [-0.5, -0.5, 1.5, 1.5], [-8, -8, -4, -4]])
    np.testing.assert_allclose(pooled[:2], np.full((2, 2, 2, 3), 5), atol=1e-6)
    assert not np.any(pooled[2])


def test_adaptive_sampling_equals_a_loop(implementation):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    arguments = dict(scales=PYRAMID_SCALES, output_size=3, sampling_ratio=0)
    pooled = pool(features, boxes, images, levels, **arguments)
    if implementation == "fallback":  # which takes 2
        arguments["sampling_ratio"] = 2
    expected = roi_align_loop(features, boxes, images, levels, **arguments)
    np.testing.assert_allclose(pooled, expected, atol=TOLERANCE[implementation, "float32"])


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2, 3])
def test_maxima_equal_a_loop(implementation, aligned, sampling_ratio):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    arguments = dict(scales=PYRAMID_SCALES, output_size=(2, 3), aligned=aligned, reduce="max")
    pooled = pool(
        features, boxes, images, levels, sampling_ratio=sampling_ratio, **arguments
    )  # always the fallback, which takes 2 for adaptive
    expected = roi_align_loop(
        features, boxes, images, levels, sampling_ratio=sampling_ratio or 2, **arguments
    )
    np.testing.assert_allclose(pooled, expected, atol=TOLERANCE["fallback", "float32"])


def test_gradient_of_maxima_against_finite_differences_of_a_loop():
    features, (boxes, images, levels) = random_pyramid(2), random_boxes(12)
    weights = np.random.default_rng(5).standard_normal((12, 3, 3, 2))
    arguments = dict(scales=PYRAMID_SCALES, output_size=3, reduce="max")
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = pool(features, boxes, images, levels, **arguments)
    gradients = tape.gradient(pooled, features, output_gradients=tf.constant(weights, "float32"))

    def loss(moved):
        return np.sum(weights * roi_align_loop(moved, boxes, images, levels, **arguments))

    for level, place, difference in finite_differences(loss, features):
        np.testing.assert_allclose(gradients[level].numpy()[place], difference, atol=1e-4)


@pytest.mark.parametrize("reduce", ["average", "max"])
def test_a_level_without_boxes_has_no_gradient_in_a_graph(implementation, reduce):
    features = random_pyramid(256)
    boxes, images = tf.constant(random_boxes(4)[0]), tf.zeros(4, tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([None], tf.int32)])
    def gradients(boxes, images):
        levels = tf.ones_like(images)
        arguments = dict(scales=PYRAMID_SCALES, output_size=7, reduce=reduce)
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = roi_align(features, boxes, images, levels, **arguments)
        return tape.gradient(pooled, features)

    assert [bool(np.any(each)) for each in gradients(boxes, images)] == [False, True, False]
    assert not any(np.any(each) for each in gradients(boxes[:0], images[:0]))


@pytest.mark.parametrize("channels", [1, 15, 16, 17, 63, 64, 83, 130])
def test_any_number_of_channels(implementation, channels):
    features, (boxes, images, levels) = random_pyramid(channels), random_boxes(8)
    arguments = dict(scales=PYRAMID_SCALES, output_size=2)
    pooled = pool(features, boxes, images, levels, **arguments)
    expected = roi_align_loop(features, boxes, images, levels, **arguments)
    np.testing.assert_allclose(pooled, expected, atol=TOLERANCE[implementation, "float32"])


def test_image_and_box_doubled(implementation):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    once = pool(features, boxes, images, levels, scales=PYRAMID_SCALES)
    halves = [scale / 2 for scale in PYRAMID_SCALES]
    twice = pool(features, 2 * boxes, images, levels, scales=halves)
    np.testing.assert_allclose(once, twice, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_dtypes(implementation, dtype):
    features, (boxes, images, levels) = random_pyramid(20, dtype), random_boxes()
    arguments = dict(scales=PYRAMID_SCALES, output_size=7)
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = pool(features, boxes, images, levels, **arguments)
    assert pooled.dtype == dtype
    exact = [tf.cast(feature, "float64") for feature in features]
    boxes = boxes.astype("float64") if dtype == "float64" else boxes
    expected = roi_align_loop(exact, boxes, images, levels, **arguments)
    tolerance = TOLERANCE[implementation, dtype]
    np.testing.assert_allclose(tf.cast(pooled, "float64"), expected, atol=tolerance)
    gradients = tape.gradient(pooled, features)
    assert [gradient.dtype for gradient in gradients] == [dtype] * 3
    assert [gradient.shape for gradient in gradients] == [feature.shape for feature in features]
    with tf.GradientTape() as tape:
        tape.watch(exact)
        pooled = pool(exact, boxes, images, levels, **arguments)
    for gradient, reference in zip(gradients, tape.gradient(pooled, exact), strict=True):
        limit = tolerance * np.abs(reference).max()
        np.testing.assert_allclose(tf.cast(gradient, "float64"), reference, atol=limit)


@pytest.mark.parametrize("sampling_ratio", [0, 1, 2])
@pytest.mark.parametrize("aligned", [True, False])
def test_gradient_against_finite_differences(implementation, sampling_ratio, aligned):
    features, (boxes, images, levels) = random_pyramid(2, "float64"), random_boxes(12)
    weights = np.random.default_rng(5).standard_normal((12, 3, 3, 2))

    @tf.function
    def loss(features):
        pooled = pool(
            features,
            boxes,
            images,
            levels,
            scales=PYRAMID_SCALES,
            output_size=3,
            sampling_ratio=sampling_ratio,
            aligned=aligned,
        )
        return tf.reduce_sum(weights * pooled)

    with tf.GradientTape() as tape:
        tape.watch(features)
        value = loss(features)
    gradients = tape.gradient(value, features)
    # Pooling is linear: the step may be large. The fallback computes in float32.
    step, tolerance = (1e-3, 1e-6) if implementation == "op" else (1.0, 1e-3)
    for level, index in itertools.product(range(3), range(0, 40, 3)):
        place = np.unravel_index(
            index * 7 % features[level].shape.num_elements(), features[level].shape
        )
        shift = np.zeros(features[level].shape)
        shift[place] = step
        higher = loss([*features[:level], features[level] + shift, *features[level + 1 :]])
        lower = loss([*features[:level], features[level] - shift, *features[level + 1 :]])
        difference = (higher - lower) / (2 * step)
        np.testing.assert_allclose(gradients[level].numpy()[place], difference, atol=tolerance)


def test_second_gradient(implementation):
    # d/du of <gradient(u), v> is pooling of v.
    features, (boxes, images, levels) = random_pyramid(2), random_boxes(6)
    upstream = tf.random.stateless_normal((6, 2, 2, 2), (1, 2))
    with tf.GradientTape() as outer:
        outer.watch(upstream)
        with tf.GradientTape() as inner:
            inner.watch(features)
            pooled = pool(features, boxes, images, levels, scales=PYRAMID_SCALES)
        gradients = inner.gradient(pooled, features, output_gradients=upstream)
        value = tf.add_n([tf.reduce_sum(g * f) for g, f in zip(gradients, features, strict=True)])
    if implementation == "fallback":
        pytest.skip("crop_and_resize has no second gradient in TensorFlow")
    np.testing.assert_allclose(outer.gradient(value, upstream), pooled, atol=1e-5)


def test_shapes_that_are_not_known(implementation):
    features, (boxes, images, levels) = random_pyramid(), random_boxes()
    specs = [tf.TensorSpec([None, None, None, 5])] * 3
    rois = [tf.TensorSpec([None, 4]), *[tf.TensorSpec([None], tf.int32)] * 2]

    @tf.function(input_signature=[specs, *rois])
    def step(features, boxes, images, levels):
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = roi_align(
                features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=(2, 3)
            )
        assert pooled.shape.as_list() == [None, 2, 3, 5]
        gradients = tape.gradient(pooled, features)
        assert all(gradient.shape.rank == 4 for gradient in gradients)
        return pooled, gradients

    pooled, gradients = step(features, boxes, images, levels)
    eager = pool(features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=(2, 3))
    tolerance = TOLERANCE[implementation, "float32"]
    np.testing.assert_allclose(pooled, eager, atol=tolerance)
    assert [gradient.shape for gradient in gradients] == [feature.shape for feature in features]
    empty, _ = step(features, boxes[:0], images[:0], levels[:0])
    assert empty.shape == (0, 2, 3, 5)


def test_same_bits_every_time(implementation):
    features, (boxes, images, levels) = random_pyramid(80), random_boxes(200)

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = pool(features, boxes, images, levels, scales=PYRAMID_SCALES, output_size=7)
        return [pooled, *tape.gradient(pooled, features)]

    first = gradients()
    for _ in range(3):
        for expected, value in zip(first, gradients(), strict=True):
            np.testing.assert_array_equal(expected, value)


def test_the_fallback_says_once_that_it_is_not_adaptive(caplog):
    roi_align_fallback._say_adaptive_once.cache_clear()
    with library.using("fallback"), caplog.at_level("WARNING"):
        for _ in range(2):
            pool(random_pyramid(), [[0.0, 0, 9, 9]], scales=PYRAMID_SCALES, sampling_ratio=0)
    assert [record.message.count("takes 2 samples") for record in caplog.records] == [1]
    assert "build-op" in caplog.text and "max" not in caplog.text


def test_maxima_say_once_that_they_are_not_adaptive(caplog):
    roi_align_fallback._say_adaptive_once.cache_clear()
    with caplog.at_level("WARNING"):
        for _ in range(2):
            box = [[0.0, 0, 9, 9]]
            pool(random_pyramid(), box, scales=PYRAMID_SCALES, sampling_ratio=0, reduce="max")
    assert [record.message.count("takes 2 samples") for record in caplog.records] == [1]
    assert 'reduce="max"' in caplog.text and "build-op" not in caplog.text
