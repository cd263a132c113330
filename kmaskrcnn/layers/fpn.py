"""The feature pyramid (Lin et al. 2017, arXiv:1612.03144)."""

from __future__ import annotations

import keras
import tensorflow as tf

LEVELS = ("P2", "P3", "P4", "P5", "P6")


@keras.saving.register_keras_serializable("kmaskrcnn")
class FPN(keras.layers.Layer):
    """Top-down pathway: 1×1 laterals, nearest ×2, sum, 3×3; P6 is every second pixel of P5.

    Args:
        channels: F, the channels of every level.
    """

    def __init__(self, channels: int = 256, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        initial = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")  # as Detectron2
        self.laterals = {
            level: keras.layers.Conv2D(
                channels, 1, name=f"lateral_{level}", kernel_initializer=initial
            )
            for level in ("C2", "C3", "C4", "C5")
        }
        self.outputs = {
            level: keras.layers.Conv2D(
                channels, 3, padding="same", name=f"output_{level}", kernel_initializer=initial
            )
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
        return {**super().get_config(), "channels": self.channels}


def _upsample(features: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Nearest neighbour ×2, cut to the lateral's height and width."""
    doubled = tf.repeat(tf.repeat(features, 2, axis=1), 2, axis=2)
    return doubled[:, : shape[1], : shape[2]]
