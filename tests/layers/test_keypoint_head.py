"""The keypoint head against obvious loops, at its edges, and as it is kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import layers

RNG = np.random.default_rng(0)


def scatter(image, kernel, bias):
    """A transposed convolution of stride 2: each cell adds its 4 × 4 patch, from -1 on."""
    height, width, _ = image.shape
    padded = np.zeros((2 * height + 2, 2 * width + 2, kernel.shape[2]))
    for row in range(height):
        for column in range(width):
            patch = kernel @ image[row, column]  # (4, 4, out)
            padded[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += patch
    return padded[1:-1, 1:-1] + bias


def doubled(image):
    """Bilinear at the centres of half-sized cells, the border repeated."""
    height, width, _ = image.shape
    result = np.zeros((2 * height, 2 * width, image.shape[2]))
    for row in range(2 * height):
        for column in range(2 * width):
            y, x = max(row / 2 - 0.25, 0), max(column / 2 - 0.25, 0)
            top, left = int(y), int(x)
            for r, c in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
                share = (1 - abs(y - r)) * (1 - abs(x - c))
                result[row, column] += share * image[min(r, height - 1), min(c, width - 1)]
    return result


def test_the_last_layers_equal_the_loops():
    head = layers.KeypointHead(2, num_convs=0)
    pooled = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    logits = head(pooled)
    assert logits.shape == (2, 12, 16, 2) and logits.dtype == tf.float32
    head.deconv.bias.assign([0.5, -1])
    logits = head(pooled)
    for image, found in zip(pooled, logits, strict=True):
        expected = doubled(scatter(image, head.deconv.kernel.numpy(), [0.5, -1]))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_layers_and_their_names():
    head = layers.KeypointHead(17)
    head.build((None, 14, 14, 256))
    shapes = {"/".join(w.path.split("/")[-2:]): tuple(w.shape) for w in head.weights}
    assert shapes["conv1/kernel"] == (3, 3, 256, 512) and shapes["conv8/bias"] == (512,)
    assert shapes["deconv/kernel"] == (4, 4, 17, 512) and len(shapes) == 18
    assert head.compute_output_shape((None, 14, 14, 256)) == (None, 56, 56, 17)


def test_the_first_weights_keep_the_size_of_gradients():
    head = layers.KeypointHead(17, channels=64, num_convs=2)
    head.build((None, 14, 14, 16))
    for layer, fan_out in ((head.convs[0], 9 * 64), (head.deconv, 16 * 64)):
        np.testing.assert_allclose(np.std(layer.kernel), np.sqrt(2 / fan_out), rtol=0.05)


def test_the_gradient_is_that_of_finite_differences():
    head = layers.KeypointHead(2, channels=3, num_convs=1, dtype="float64")
    pooled = tf.constant(RNG.normal(size=(1, 3, 3, 2)))
    head.build(pooled.shape)
    kernel = head.deconv.kernel

    def loss():
        return tf.reduce_sum(head(pooled) ** 2)

    with tf.GradientTape() as tape:
        value = loss()
    gradient = tape.gradient(value, kernel.value)
    assert gradient is not None
    start, step = kernel.numpy(), 1e-2
    for place in [(0, 0, 0, 0), (1, 2, 1, 2), (3, 3, 0, 1)]:
        moved = []
        for sign in (1, -1):
            changed = start.copy()
            changed[place] += sign * step
            kernel.assign(changed)
            moved.append(float(loss()))
        kernel.assign(start)
        expected = (moved[0] - moved[1]) / (2 * step)
        assert float(gradient[place]) == pytest.approx(expected, rel=1e-2, abs=1e-3)


def test_logits_are_float32_under_mixed_precision():
    head = layers.KeypointHead(2, channels=4, num_convs=1, dtype="mixed_float16")
    assert head(tf.zeros([1, 14, 14, 3])).dtype == tf.float32


def test_it_comes_back_with_every_argument():
    head = layers.KeypointHead(5, channels=13, num_convs=2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(head))
    fields = [(h.num_keypoints, h.channels, h.num_convs) for h in (head, again)]
    assert fields[0] == fields[1] == (5, 13, 2)
