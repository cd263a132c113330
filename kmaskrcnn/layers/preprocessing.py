"""From padded RGB images in 0..255 to the network's normalised input."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class ImageNormalization(keras.layers.Layer):
    """(image - mean) / std inside each image, zero in its padding, padded to the stride.

    The padding is zero *after* the normalisation, as torchvision and Detectron2 have it.

    Args:
        pixel_mean, pixel_std: one value a channel, RGB, in 0..255.
        stride: height and width are padded to its next multiple, at the bottom and right.
    """

    def __init__(self, pixel_mean, pixel_std, stride: int = 32, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.pixel_mean = tuple(pixel_mean)
        self.pixel_std = tuple(pixel_std)
        self.stride = stride
        self.built = True

    def call(self, images: tf.Tensor, image_sizes: tf.Tensor) -> tf.Tensor:
        """images (B, H, W, 3) of any dtype, image_sizes (B, 2) → (B, H', W', 3) compute dtype."""
        images = (tf.cast(images, tf.float32) - self.pixel_mean) / self.pixel_std
        images *= _inside(image_sizes, tf.shape(images))
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        padding = [[0, 0], [0, -height % self.stride], [0, -width % self.stride], [0, 0]]
        return tf.cast(tf.pad(images, padding), self.compute_dtype)

    def get_config(self):
        config = {"pixel_mean": self.pixel_mean, "pixel_std": self.pixel_std}
        return {**super().get_config(), **config, "stride": self.stride}


def _inside(image_sizes: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """(B, H, W, 1) float32: 1 on an image's own pixels, 0 on its padding."""
    rows = tf.range(shape[1])[None, :] < tf.cast(image_sizes[:, :1], tf.int32)
    columns = tf.range(shape[2])[None, :] < tf.cast(image_sizes[:, 1:], tf.int32)
    return tf.cast(rows[:, :, None, None] & columns[:, None, :, None], tf.float32)
