"""The mask head: an FCN on each RoI, one mask per class (He et al. 2017, section 3, figure 4)."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class MaskHead(keras.layers.Layer):
    """3×3 convolutions, a 2×2 transposed convolution that doubles the side, 1×1 to the classes.

    Args:
        num_classes: C masks, without background.
        channels: of every hidden layer; num_convs: 3×3 convolutions.
    """

    def __init__(self, num_classes: int, channels: int = 256, num_convs: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.channels, self.num_convs = num_classes, channels, num_convs
        options = {"activation": "relu", "kernel_initializer": "he_normal"}
        self.convs = [
            keras.layers.Conv2D(channels, 3, padding="same", name=f"conv{i + 1}", **options)
            for i in range(num_convs)
        ]
        self.deconv = keras.layers.Conv2DTranspose(channels, 2, 2, name="deconv", **options)
        self.logits = keras.layers.Conv2D(
            num_classes,
            1,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="logits",
        )

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], self.channels)
        self.deconv.build(input_shape)
        self.logits.build((*input_shape[:-1], self.channels))
        self.built = True

    def call(self, pooled: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """pooled (R, M/2, M/2, F), labels (R,) → logits (R, M, M) of each RoI's class, float32.

        Only the own class' mask is of use, in training and in inference: classes do not compete.
        """
        for conv in self.convs:
            pooled = conv(pooled)
        masks = tf.transpose(self.logits(self.deconv(pooled)), [0, 3, 1, 2])
        own = tf.clip_by_value(labels, 0, self.num_classes - 1)
        return tf.cast(tf.gather(masks, own, batch_dims=1), tf.float32)

    def compute_output_shape(self, input_shape):
        rois, height, width, _ = input_shape
        return rois, 2 * height, 2 * width

    def get_config(self):
        config = {"num_classes": self.num_classes, "channels": self.channels}
        return {**super().get_config(), **config, "num_convs": self.num_convs}
