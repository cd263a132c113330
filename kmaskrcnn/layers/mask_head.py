"""The mask head: an FCN on each RoI, one mask per class (He et al. 2017, section 3, figure 4)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.blocks import conv_block, dense_block


@keras.saving.register_keras_serializable("kmaskrcnn")
class MaskHead(keras.layers.Layer):
    """3×3 convolutions, a 2×2 transposed convolution that doubles the side, 1×1 to the masks.

    Args:
        num_masks: masks a RoI: one a class, 1 for all, or one more for the background.
        channels: of every hidden layer; num_convs: 3×3 convolutions.
        norm, epsilon: after each convolution; bias: before a norm, too.
    """

    def __init__(
        self, num_masks: int, channels=256, num_convs=4, norm="", epsilon=1e-5, bias=False, **kwargs
    ):
        super().__init__(**kwargs)
        self.num_masks, self.channels, self.num_convs = num_masks, channels, num_convs
        self.norm, self.epsilon, self.bias = norm, epsilon, bias
        self.convs = [
            conv_block(f"conv{i + 1}", channels, norm=norm, epsilon=epsilon, bias=bias)
            for i in range(num_convs)
        ]
        self.deconv = keras.layers.Conv2DTranspose(
            channels, 2, 2, activation="relu", kernel_initializer="he_normal", name="deconv"
        )
        self.logits = keras.layers.Conv2D(
            num_masks,
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

    def call(self, pooled: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """pooled (R, M/2, M/2, F) → logits (R, M, M, masks), float32.

        With labels (R,) each RoI's own mask alone, (R, M, M), whatever the number of classes.
        """
        for conv in self.convs:
            pooled = conv(pooled)
        pixels = self._doubled(pooled)
        logits = self._all(pixels) if labels is None else self._own(pixels, labels)
        logits = _interleaved(tf.cast(logits, tf.float32), pooled.shape[1:3])
        return logits if labels is None else tf.squeeze(logits, -1)

    def _all(self, pixels):
        """(R, P, F) → (R, P, masks)."""
        logits = tf.matmul(tf.reshape(pixels, [-1, self.channels]), self.logits.kernel[0, 0])
        logits = tf.nn.bias_add(logits, self.logits.bias)
        return tf.reshape(logits, [-1, pixels.shape[1], self.num_masks])

    def _own(self, pixels, labels):
        """(R, P, F), labels (R,) → (R, P)."""
        kernels = tf.gather(tf.transpose(self.logits.kernel[0, 0]), labels)  # (R, F)
        biases = tf.gather(self.logits.bias[:, None], labels)  # (R, 1), with a dense gradient
        return tf.linalg.matvec(pixels, kernels) + biases

    def _doubled(self, pooled):
        """The transposed convolution, as a product: 2×2 of stride 2 do not overlap.

        (R, h, w, F) → (R, h · w · 2 · 2, F): of each pixel the four that it becomes, not yet in
        their places, as a tensor of this size is slow to move.
        """
        kernel = tf.transpose(self.deconv.kernel, [3, 0, 1, 2])  # in, 2, 2, out
        kernel = tf.reshape(kernel, [1, 1, -1, 4 * self.channels])
        doubled = tf.nn.conv2d(pooled, kernel, 1, "VALID")
        doubled = tf.nn.relu(tf.nn.bias_add(doubled, tf.tile(self.deconv.bias, [4])))
        height, width = pooled.shape[1:3]
        return tf.reshape(doubled, [-1, height * width * 4, self.channels])

    def compute_output_shape(self, input_shape):
        rois, height, width, _ = input_shape
        return rois, 2 * height, 2 * width, self.num_masks

    def get_config(self):
        config = {"num_masks": self.num_masks, "channels": self.channels, "bias": self.bias}
        config |= {"num_convs": self.num_convs, "norm": self.norm, "epsilon": self.epsilon}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("kmaskrcnn")
class MLPMaskHead(keras.layers.Layer):
    """Two dense layers, then a dense layer to all pixels of all masks (table 2e).

    Args:
        num_masks: as of `MaskHead`; channels: of the hidden layers; mask_size: M.
    """

    def __init__(self, num_masks: int, channels: int = 1024, mask_size: int = 28, **kwargs):
        super().__init__(**kwargs)
        self.num_masks, self.channels, self.mask_size = num_masks, channels, mask_size
        self.hidden = [dense_block(f"dense{i + 1}", channels) for i in range(2)]
        self.logits = keras.layers.Dense(
            mask_size**2 * num_masks,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.001),
            name="logits",
        )

    def build(self, input_shape):
        units = input_shape[1] * input_shape[2] * input_shape[3]
        for dense in self.hidden:
            dense.build((None, units))
            units = self.channels
        self.logits.build((None, units))
        self.built = True

    def call(self, pooled: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        """pooled (R, S, S, F) → logits (R, M, M, masks), float32; with labels (R,), (R, M, M)."""
        hidden = tf.reshape(pooled, [-1, pooled.shape[1] * pooled.shape[2] * pooled.shape[3]])
        for dense in self.hidden:
            hidden = dense(hidden)
        shape = [-1, self.mask_size, self.mask_size, self.num_masks]
        logits = tf.cast(tf.reshape(self.logits(hidden), shape), tf.float32)
        if labels is None:
            return logits
        return tf.gather(tf.transpose(logits, [0, 3, 1, 2]), labels, batch_dims=1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.mask_size, self.mask_size, self.num_masks

    def get_config(self):
        config = {"num_masks": self.num_masks, "channels": self.channels}
        return {**super().get_config(), **config, "mask_size": self.mask_size}


def _interleaved(logits, size):
    """(R, h · w · 2 · 2[, masks]) → (R, 2h, 2w, masks or 1): each pixel in its place."""
    height, width = size
    masks = logits.shape[2] if logits.shape.rank == 3 else 1
    logits = tf.reshape(logits, [-1, height, width, 2, 2, masks])
    return tf.reshape(tf.transpose(logits, [0, 1, 3, 2, 4, 5]), [-1, 2 * height, 2 * width, masks])
