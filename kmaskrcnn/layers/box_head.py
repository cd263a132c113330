"""The box head: what is in a RoI, and where exactly (Lin et al. 2017, section 4.2)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.blocks import conv_block, dense_block


@keras.saving.register_keras_serializable("kmaskrcnn")
class BoxHead(keras.layers.Layer):
    """Convolutions, dense layers, then class logits and deltas.

    Two dense layers are the usual head; four convolutions and one dense layer that of Wu and He
    2018 and of torchvision's v2. Without a dense layer the RoI's features are averaged, as after
    res5 (He et al. 2016).

    Args:
        num_classes: C, without background (which is the last logit).
        num_convs, conv_channels: 3×3 convolutions; num_dense, channels: dense layers.
        class_agnostic: whether one box serves all classes.
        norm, dense_norm, epsilon: after convolutions and dense layers; bias: before a norm, too.
    """

    def __init__(
        self,
        num_classes: int,
        channels: int = 1024,
        num_dense: int = 2,
        num_convs: int = 0,
        conv_channels: int = 256,
        class_agnostic: bool = False,
        norm: str = "",
        dense_norm: str = "",
        epsilon: float = 1e-5,
        bias: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._arguments = {
            "num_classes": num_classes,
            "channels": channels,
            "num_dense": num_dense,
            "num_convs": num_convs,
            "conv_channels": conv_channels,
            "class_agnostic": class_agnostic,
            "norm": norm,
            "dense_norm": dense_norm,
            "epsilon": epsilon,
            "bias": bias,
        }
        self.num_classes = num_classes
        self.num_boxes = 1 if class_agnostic else num_classes
        self.convs = [
            conv_block(f"conv{i + 1}", conv_channels, norm=norm, epsilon=epsilon, bias=bias)
            for i in range(num_convs)
        ]
        self.hidden = [
            dense_block(f"dense{i + 1}", channels, norm=dense_norm, epsilon=epsilon)
            for i in range(num_dense)
        ]
        normal = keras.initializers.RandomNormal
        self.logits = keras.layers.Dense(
            num_classes + 1, kernel_initializer=normal(stddev=0.01), name="logits"
        )
        self.deltas = keras.layers.Dense(
            4 * self.num_boxes, kernel_initializer=normal(stddev=0.001), name="deltas"
        )

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], conv.channels)
        _, height, width, units = input_shape
        units = height * width * units if self.hidden else units
        for dense in self.hidden:
            dense.build((None, units))
            units = dense.channels
        self.logits.build((None, units))
        self.deltas.build((None, units))
        self.built = True

    def call(self, pooled: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(R, S, S, F) → logits (R, C + 1), deltas (R, C or 1, 4), float32."""
        for conv in self.convs:
            pooled = conv(pooled)
        if self.hidden:
            size = pooled.shape[1] * pooled.shape[2] * pooled.shape[3]
            hidden = tf.reshape(pooled, [-1, size])
        else:
            hidden = tf.reduce_mean(pooled, [1, 2])
        for dense in self.hidden:
            hidden = dense(hidden)
        deltas = tf.reshape(self.deltas(hidden), [-1, self.num_boxes, 4])
        return tf.cast(self.logits(hidden), tf.float32), tf.cast(deltas, tf.float32)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes + 1), (input_shape[0], self.num_boxes, 4)

    def get_config(self):
        return {**super().get_config(), **self._arguments}
