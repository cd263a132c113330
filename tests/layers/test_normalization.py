import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.layers.normalization import (
    NORMS,
    FrozenBatchNormalization,
    GroupNormalization,
    normalization,
)


def drawn(channels: int, seed: int = 0) -> list[np.ndarray]:
    """gamma, beta, mean and variance that are all off their defaults."""
    rng = np.random.default_rng(seed)
    return [
        rng.uniform(low, high, channels) for low, high in [(0.5, 2), (-1, 1), (-1, 1), (0.1, 3)]
    ]


def built(layer: keras.layers.Layer, channels: int) -> keras.layers.Layer:
    layer.build((None, None, None, channels))
    return layer


def test_frozen_norm_is_the_formula():
    gamma, beta, mean, variance = drawn(3)
    layer = built(FrozenBatchNormalization(epsilon=1e-2), 3)
    layer.set_weights([gamma, beta, mean, variance])
    x = np.random.default_rng(1).normal(size=(2, 4, 5, 3)).astype("float32")
    expected = (x - mean) / np.sqrt(variance + 1e-2) * gamma + beta
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_frozen_norm_equals_keras_batch_norm_at_inference():
    x = np.random.default_rng(1).normal(size=(2, 4, 5, 6)).astype("float32")
    theirs = built(keras.layers.BatchNormalization(epsilon=1e-3), 6)
    ours = built(FrozenBatchNormalization(epsilon=1e-3), 6)
    theirs.set_weights(drawn(6))
    ours.set_weights(theirs.get_weights())
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    np.testing.assert_allclose(ours(x), theirs(x, training=False), atol=1e-5)


def test_frozen_norm_does_not_move():
    layer = built(FrozenBatchNormalization(), 4)
    layer.set_weights(drawn(4))
    before = layer.get_weights()
    layer.trainable = True
    x = tf.random.stateless_normal((8, 6, 6, 4), (1, 2)) + 5.0
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    assert layer.trainable_variables == []
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_frozen_norm_passes_the_gradient_scaled():
    layer = built(FrozenBatchNormalization(epsilon=0.0), 2)
    layer.set_weights(np.array([[2.0, 3.0], [0.0, 0.0], [1.0, 1.0], [4.0, 9.0]]))
    x = tf.ones((1, 1, 1, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x))
    np.testing.assert_allclose(tape.gradient(total, x).numpy().ravel(), [1.0, 1.0])


def test_frozen_norm_without_gamma_and_beta():
    layer = built(FrozenBatchNormalization(center=False, scale=False, epsilon=0.0), 2)
    assert [w.name for w in layer.weights] == ["moving_mean", "moving_variance"]
    layer.set_weights(np.array([[1.0, 2.0], [4.0, 16.0]]))
    np.testing.assert_allclose(layer(np.full((1, 1, 1, 2), 5.0)).numpy().ravel(), [2.0, 0.75])


def test_frozen_norm_takes_an_empty_batch():
    assert built(FrozenBatchNormalization(), 4)(np.zeros((0, 3, 3, 4))).shape == (0, 3, 3, 4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_frozen_norm_keeps_float32_vectors_in_mixed_precision(policy):
    layer = built(FrozenBatchNormalization(dtype=policy), 2)
    assert {w.dtype for w in layer.weights} == {"float32"}
    # mean and variance that float16 and bfloat16 cannot hold: scale and shift must not use them so
    layer.set_weights(np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1e-8, 1e6]]))
    y = layer(np.full((1, 1, 1, 2), 0.5, "float32"))
    assert y.dtype == policy.removeprefix("mixed_")
    scale = 1 / np.sqrt(np.array([1e-8, 1e6]) + 1e-5)
    np.testing.assert_allclose(np.asarray(y, "float32").ravel(), 0.5 * scale, rtol=1e-2)


def test_frozen_norm_config_keeps_every_argument():
    layer = FrozenBatchNormalization(epsilon=0.25, center=False, scale=False, name="off_default")
    twin = FrozenBatchNormalization.from_config(layer.get_config())
    assert (twin.epsilon, twin.center, twin.scale, twin.name) == (0.25, False, False, "off_default")


@pytest.mark.parametrize("kind", NORMS)
def test_normalization_of_each_kind_runs_and_takes_its_epsilon(kind):
    layer = built(normalization(kind, 24, epsilon=0.125, name="norm"), 24)
    assert (layer.name, layer.epsilon) == ("norm", 0.125)
    assert layer(np.ones((1, 4, 4, 24))).shape == (1, 4, 4, 24)


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (24, 8), (40, 8), (7, 1)])
def test_group_norm_takes_groups_that_divide_the_channels(channels, groups):
    assert normalization("group", channels).groups == groups


def test_group_norm_is_exact_where_the_mean_is_far_from_zero():
    x = np.random.default_rng(0).standard_normal((2, 96, 80, 6)).astype("float32") + 5
    layer = built(normalization("group", 6), 6)
    layer.set_weights([np.arange(1.0, 7), np.arange(6.0)])
    groups = x.astype("float64").reshape(2, -1, 2, 3)
    mean, variance = (f(groups, axis=(1, 3), keepdims=True) for f in (np.mean, np.var))
    expected = ((groups - mean) / np.sqrt(variance + 1e-5)).reshape(x.shape)
    expected = expected * np.arange(1, 7) + np.arange(6)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False)])
def test_group_norm_agrees_with_keras(scale, center):
    options = {"scale": scale, "center": center, "epsilon": 0.1}
    ours, theirs = GroupNormalization(4, **options), keras.layers.GroupNormalization(4, **options)
    x = np.random.default_rng(1).standard_normal((2, 5, 8)).astype("float32")
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)
    assert type(ours).from_config(ours.get_config()).scale == scale


def test_group_norm_sums_float16_in_float32():
    layer = built(GroupNormalization(2, dtype="mixed_float16"), 4)
    y = layer(np.full((1, 64, 64, 4), 300.0, "float16") + np.float16([0, 2, 0, 2]))
    np.testing.assert_allclose(np.asarray(y)[0, 0, 0], [-1, 1, -1, 1], atol=1e-2)


def test_unknown_norm_says_which_there_are():
    with pytest.raises(
        ValueError, match=r"'layer'.*'frozen_batch', 'fixed_batch', 'batch', 'group'"
    ):
        normalization("layer", 8)
