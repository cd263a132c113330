"""The keypoint head: a heatmap on each RoI for each keypoint (He et al. 2017, section 5)."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class KeypointHead(keras.layers.Layer):
    """3×3 convolutions, a 4×4 transposed one that doubles the side, and a bilinear doubling.

    The transposed convolution makes the J maps already; ``same`` is the padding of 1 on each side
    that torchvision and Detectron2 give it.

    Args:
        num_keypoints: J.
        channels: of every hidden layer; num_convs: 3×3 convolutions.
    """

    def __init__(self, num_keypoints: int, channels: int = 512, num_convs: int = 8, **kwargs):
        super().__init__(**kwargs)
        self.num_keypoints, self.channels, self.num_convs = num_keypoints, channels, num_convs
        # As Caffe2's MSRAFill: a normal that keeps the variance of the gradients.
        options = {"kernel_initializer": _fan_out(), "padding": "same"}
        self.convs = [
            keras.layers.Conv2D(channels, 3, activation="relu", name=f"conv{i + 1}", **options)
            for i in range(num_convs)
        ]
        self.deconv = keras.layers.Conv2DTranspose(num_keypoints, 4, 2, name="deconv", **options)

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], self.channels)
        self.deconv.build(input_shape)
        self.built = True

    def call(self, pooled: tf.Tensor) -> tf.Tensor:
        """pooled (R, S/4, S/4, F) → logits (R, S, S, J), float32.

        R is at least 1: TensorFlow's convolution (oneDNN) of no RoI at all has a wrong shape.
        """
        for conv in self.convs:
            pooled = conv(pooled)
        coarse = tf.cast(self.deconv(pooled), tf.float32)
        height, width = coarse.shape[1:3]
        return tf.image.resize(coarse, [2 * height, 2 * width])

    def compute_output_shape(self, input_shape):
        rois, height, width, _ = input_shape
        return rois, 4 * height, 4 * width, self.num_keypoints

    def get_config(self):
        config = {"num_keypoints": self.num_keypoints, "channels": self.channels}
        return {**super().get_config(), **config, "num_convs": self.num_convs}


def _fan_out() -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
