"""The box head: what is in a RoI, and where exactly (Lin et al. 2017, section 4.2)."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class BoxHead(keras.layers.Layer):
    """Two fully connected layers, then class logits and class-specific deltas.

    Args:
        num_classes: C, without background (which is the last logit).
        channels: units of each hidden layer; num_dense: how many.
    """

    def __init__(self, num_classes: int, channels: int = 1024, num_dense: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.channels, self.num_dense = num_classes, channels, num_dense
        self.hidden = [
            keras.layers.Dense(channels, activation="relu", name=f"dense{i + 1}")
            for i in range(num_dense)
        ]
        normal = keras.initializers.RandomNormal
        self.logits = keras.layers.Dense(
            num_classes + 1, kernel_initializer=normal(stddev=0.01), name="logits"
        )
        self.deltas = keras.layers.Dense(
            4 * num_classes, kernel_initializer=normal(stddev=0.001), name="deltas"
        )

    def build(self, input_shape):
        _, height, width, channels = input_shape
        width = height * width * channels
        for dense in self.hidden:
            dense.build((None, width))
            width = self.channels
        self.logits.build((None, width))
        self.deltas.build((None, width))
        self.built = True

    def call(self, pooled: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(R, S, S, F) → logits (R, C + 1), deltas (R, C, 4), float32."""
        size = pooled.shape[1] * pooled.shape[2] * pooled.shape[3]
        hidden = tf.reshape(pooled, [-1, size])
        for dense in self.hidden:
            hidden = dense(hidden)
        deltas = tf.reshape(self.deltas(hidden), [-1, self.num_classes, 4])
        return tf.cast(self.logits(hidden), tf.float32), tf.cast(deltas, tf.float32)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes + 1), (input_shape[0], self.num_classes, 4)

    def get_config(self):
        config = {"num_classes": self.num_classes, "channels": self.channels}
        return {**super().get_config(), **config, "num_dense": self.num_dense}
