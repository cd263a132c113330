"""A convolution or dense layer with its norm and activation, the brick of necks and heads."""

from __future__ import annotations

import keras

from kmaskrcnn.layers.folding import fold
from kmaskrcnn.layers.normalization import normalization


@keras.saving.register_keras_serializable("kmaskrcnn")
class NormedLayer(keras.layers.Layer):
    """A weighted layer, then a norm, then ReLU, each where it is wanted.

    Args:
        weighted: a `Conv2D` or `Dense` without activation; its name is the block's.
        norm: "" or a kind of `normalization`; the norm is called `{name}.norm`.
        channels: of the output; epsilon: of the norm; activation: whether a ReLU follows.
    """

    def __init__(self, weighted, norm: str, channels: int, epsilon=1e-5, activation=True, **kwargs):
        super().__init__(name=f"{weighted.name}.block", **kwargs)
        self.weighted, self.channels, self.activation = weighted, channels, activation
        self.norm = None
        if norm:
            self.norm = normalization(norm, channels, epsilon=epsilon, name=f"{weighted.name}.norm")
            fold(weighted, self.norm)

    def build(self, input_shape):
        self.weighted.build(input_shape)
        if self.norm is not None:
            self.norm.build((*input_shape[:-1], self.channels))
        self.built = True

    def call(self, inputs):
        outputs = self.weighted(inputs)
        if self.norm is not None:
            outputs = self.norm(outputs)
        return keras.ops.relu(outputs) if self.activation else outputs

    def compute_output_shape(self, input_shape):
        return self.weighted.compute_output_shape(input_shape)


def conv_block(
    name: str,
    channels: int,
    size: int = 3,
    *,
    norm: str = "",
    epsilon: float = 1e-5,
    bias: bool = False,
    activation: bool = True,
    kernel_initializer="he_normal",
) -> NormedLayer:
    """A `same` convolution; without a norm it has a bias, with one only if `bias`."""
    conv = keras.layers.Conv2D(
        channels,
        size,
        padding="same",
        use_bias=bias or not norm,
        kernel_initializer=kernel_initializer,
        name=name,
    )
    return NormedLayer(conv, norm, channels, epsilon, activation)


def dense_block(name: str, channels: int, *, norm: str = "", epsilon=1e-5) -> NormedLayer:
    """A dense layer with a bias, then a norm if there is one, then ReLU."""
    return NormedLayer(keras.layers.Dense(channels, name=name), norm, channels, epsilon)
