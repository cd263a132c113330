import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.layers.folding import fold, fold_all
from kmaskrcnn.layers.normalization import FrozenBatchNormalization

CONVOLUTIONS = {
    "dense": lambda: keras.layers.Conv2D(6, 3, padding="same", use_bias=False),
    "bias": lambda: keras.layers.Conv2D(6, 3, padding="same"),
    "strided": lambda: keras.layers.Conv2D(6, 3, strides=2, use_bias=False),
    "dilated": lambda: keras.layers.Conv2D(6, 3, dilation_rate=2, padding="same", use_bias=False),
    "grouped": lambda: keras.layers.Conv2D(6, 3, groups=2, padding="same", use_bias=False),
    "depthwise": lambda: keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
}


def randomised(layer, seed: int = 0):
    """Weights off their defaults; variances are positive."""
    random = np.random.default_rng(seed)
    layer.set_weights([random.uniform(0.3, 2.0, w.shape) for w in layer.weights])
    return layer


def built_pair(make, policy: str = "float32"):
    """A convolution of four channels and the norm behind it."""
    conv = make()
    conv.dtype_policy = keras.DTypePolicy(policy)
    conv.build((None, None, None, 4))
    channels = conv.compute_output_shape((None, None, None, 4))[-1]
    norm = FrozenBatchNormalization(epsilon=1e-3, dtype=policy)
    norm.build((None, None, None, channels))
    return randomised(conv), randomised(norm, 1)


def images() -> tf.Tensor:
    return tf.random.stateless_normal((2, 9, 8, 4), (1, 2))


def value_and_gradients(conv, norm):
    with tf.GradientTape() as tape:
        outputs = norm(conv(x := tf.Variable(images())))
        total = tf.reduce_sum(outputs**2)
    return outputs, tape.gradient(total, [x, conv.trainable_variables[0].value])


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_folded_norm_changes_neither_value_nor_gradient(kind):
    conv, norm = built_pair(CONVOLUTIONS[kind])
    expected, wanted = value_and_gradients(conv, norm)
    fold(conv, norm)
    found, gradients = value_and_gradients(conv, norm)
    assert norm.folded
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    for gradient, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(gradient, want, rtol=1e-4, atol=1e-3 * np.abs(want).max())


def test_kernels_are_scaled_in_float32_whatever_the_precision():
    conv, norm = built_pair(CONVOLUTIONS["dense"], "mixed_bfloat16")
    kernel = conv.kernel.numpy() * norm.scale_and_shift()[0].numpy()
    expected = tf.nn.conv2d(
        tf.cast(images(), tf.bfloat16), tf.cast(kernel, tf.bfloat16), 1, "SAME"
    ) + tf.cast(norm.scale_and_shift()[1], tf.bfloat16)
    fold(conv, norm)
    model = keras.Sequential([conv, norm])  # autocasts its layers, as a network does
    model.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    found = model(images())
    assert found.dtype == tf.bfloat16
    np.testing.assert_array_equal(found, expected)


def test_a_convolution_with_an_activation_or_a_learning_norm_is_left_alone():
    conv, norm = built_pair(lambda: keras.layers.Conv2D(6, 3, activation="relu"))
    fold(conv, norm)
    assert not norm.folded
    conv, _ = built_pair(CONVOLUTIONS["dense"])
    before = conv.call
    fold(conv, keras.layers.BatchNormalization())
    assert conv.call == before


def test_a_convolution_that_others_read_is_left_alone():
    inputs = keras.Input((None, None, 4))
    first = keras.layers.Conv2D(6, 1, name="first")(inputs)
    normed = FrozenBatchNormalization(name="read_twice")(first)
    second = keras.layers.Conv2D(6, 1, name="second")(keras.layers.Add()([first, normed]))
    outputs = FrozenBatchNormalization(name="read_once")(second)
    tapped = keras.layers.Conv2D(6, 1, name="tap")(outputs)
    model = keras.Model(inputs, [FrozenBatchNormalization(name="tapped")(tapped), tapped])
    fold_all(model)
    folded = {norm: model.get_layer(norm).folded for norm in ("read_twice", "read_once", "tapped")}
    assert folded == {"read_twice": False, "read_once": True, "tapped": False}
