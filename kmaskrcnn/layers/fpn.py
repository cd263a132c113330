"""The feature pyramid (Lin et al. 2017, arXiv:1612.03144), or one level in its place."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.blocks import conv_block

LEVELS = ("P2", "P3", "P4", "P5", "P6")


@keras.saving.register_keras_serializable("kmaskrcnn")
class FPN(keras.layers.Layer):
    """Top-down pathway: 1×1 laterals, nearest ×2, sum, 3×3; P6 is every second pixel of P5.

    Args:
        channels: F, the channels of every level.
        norm: "" or a kind of norm after each convolution; epsilon: its own.
        bias: whether a convolution has a bias in front of its norm, too.
    """

    def __init__(self, channels: int = 256, norm="", epsilon=1e-5, bias=False, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.norm, self.epsilon, self.bias = channels, norm, epsilon, bias
        options = {"norm": norm, "epsilon": epsilon, "bias": bias, "activation": False}
        options["kernel_initializer"] = keras.initializers.VarianceScaling(  # as Detectron2
            1.0, "fan_in", "uniform"
        )
        self.laterals = {
            level: conv_block(f"lateral_{level}", channels, 1, **options)
            for level in ("C2", "C3", "C4", "C5")
        }
        self.outputs = {
            level: conv_block(f"output_{level}", channels, 3, **options)
            for level in ("P2", "P3", "P4", "P5")
        }

    def build(self, input_shape):
        for level, lateral in self.laterals.items():
            lateral.build(input_shape[level])
        for output in self.outputs.values():
            output.build((None, None, None, self.channels))
        self.built = True

    def call(self, features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """{"C2": (B, H/4, W/4, ·) … "C5"} → {"P2": (B, H/4, W/4, F) … "P6": (B, H/64, W/64, F)}."""
        pyramid, top = {}, None
        for number in (5, 4, 3, 2):
            lateral = self.laterals[f"C{number}"](features[f"C{number}"])
            top = lateral if top is None else lateral + _upsample(top, tf.shape(lateral))
            pyramid[f"P{number}"] = self.outputs[f"P{number}"](top)
        pyramid["P6"] = pyramid["P5"][:, ::2, ::2]
        return {level: pyramid[level] for level in LEVELS}

    def compute_output_shape(self, input_shape):
        batch = input_shape["C2"][0]
        return {level: (batch, None, None, self.channels) for level in LEVELS}

    def get_config(self):
        config = {"channels": self.channels, "norm": self.norm, "epsilon": self.epsilon}
        return {**super().get_config(), **config, "bias": self.bias}


@keras.saving.register_keras_serializable("kmaskrcnn")
class SingleLevel(keras.layers.Layer):
    """One feature map instead of a pyramid (He et al. 2017, table 2c: C4, C5).

    Args:
        level: "C4" or "C5".
    """

    def __init__(self, level: str, **kwargs):
        super().__init__(**kwargs)
        self.level = level
        self.built = True

    def call(self, features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """{"C2": … "C5": …} → {level: (B, H, W, F)}."""
        return {self.level: features[self.level]}

    def compute_output_shape(self, input_shape):
        return {self.level: input_shape[self.level]}

    def get_config(self):
        return {**super().get_config(), "level": self.level}


def _upsample(features: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Nearest neighbour ×2, or ×2 less a row or column, to the lateral's height and width."""
    doubled = tf.raw_ops.ResizeNearestNeighbor(images=features, size=shape[1:3])
    return tf.ensure_shape(doubled, [None, None, None, features.shape[-1]])
