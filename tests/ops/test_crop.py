"""crop_and_resize's gradient: TensorFlow's own of one box at a time, and the same each time."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.crop import crop_and_resize


def gradient(features, boxes, images, size, upstream):
    """Of the features, (B, H, W, F)."""
    with tf.GradientTape() as tape:
        tape.watch(features)
        cropped = crop_and_resize(features, boxes, images, size)
    return tape.gradient(cropped, features, output_gradients=upstream).numpy()


def drawn(count, size, seed=0):
    """Features, boxes (inside, outside, inverted, on the edge), images, size, upstream."""
    generator = np.random.default_rng(seed)
    features = generator.standard_normal((2, 9, 12, 3)).astype(np.float32)
    boxes = generator.uniform(-0.2, 1.2, (count, 4)).astype(np.float32)
    boxes[: count // 3, 2:] = 1
    images = generator.integers(0, 2, count).astype(np.int32)
    upstream = generator.standard_normal((count, *size, 3)).astype(np.float32)
    return tf.constant(features), tf.constant(boxes), tf.constant(images), size, upstream


@pytest.mark.parametrize("size", [(7, 7), (2, 5), (1, 3)])
def test_equals_tensorflows_of_one_box_at_a_time(size):
    features, boxes, images, size, upstream = drawn(60, size)
    one_by_one = sum(
        tf.raw_ops.CropAndResizeGradImage(
            grads=upstream[i : i + 1],
            boxes=boxes[i : i + 1],
            box_ind=images[i : i + 1],
            image_size=features.shape,
            T=tf.float32,
        ).numpy()
        for i in range(60)
    )
    found = gradient(features, boxes, images, size, upstream)
    np.testing.assert_allclose(found, one_by_one, atol=1e-4)


def test_many_boxes_over_each_other_give_the_same_each_time():
    generator = np.random.default_rng(1)
    features = tf.zeros((1, 16, 16, 64))
    boxes = tf.constant(np.tile(np.float32([[0.1, 0.1, 0.9, 0.9]]), (100, 1)))
    images = tf.zeros(100, tf.int32)
    upstream = generator.standard_normal((1, 14, 14, 64)).astype(np.float32)
    every = np.tile(upstream, (100, 1, 1, 1))
    once = gradient(features, boxes[:1], images[:1], (14, 14), upstream)
    found = [gradient(features, boxes, images, (14, 14), every) for _ in range(3)]
    np.testing.assert_allclose(found[0], 100 * once, rtol=1e-4, atol=1e-2)
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()


def test_no_boxes_and_the_gradients_gradient():
    features, boxes, images, size, upstream = drawn(8, (2, 2))
    assert not gradient(features, boxes[:0], images[:0], size, upstream[:0]).any()
    upstream = tf.constant(upstream)
    with tf.GradientTape() as outer:
        outer.watch(upstream)
        with tf.GradientTape() as inner:
            inner.watch(features)
            cropped = crop_and_resize(features, boxes, images, size)
        first = inner.gradient(cropped, features, output_gradients=upstream)
    second = outer.gradient(first, upstream, output_gradients=features)
    np.testing.assert_allclose(second, cropped, atol=1e-5)  # it is linear in both
