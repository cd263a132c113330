"""The head of the region proposal network (Ren et al. 2015, arXiv:1506.01497, section 3.1)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops.patches import patches


@keras.saving.register_keras_serializable("kmaskrcnn")
class RPNHead(keras.layers.Layer):
    """An objectness logit and four deltas for every anchor, the same weights on every level.

    Args:
        num_anchors: anchors a cell.
        channels: channels of the 3×3 convolutions.
        num_convs: how many of them (1; torchvision v2 has 2).
        softmax: whether background and object have a logit each (matterport), of which the
            difference is taken: its sigmoid is the softmax of the two.
    """

    def __init__(self, num_anchors: int, channels=256, num_convs=1, softmax=False, **kwargs):
        super().__init__(**kwargs)
        self.num_anchors, self.channels, self.num_convs = num_anchors, channels, num_convs
        self.softmax = softmax
        initial = keras.initializers.RandomNormal(stddev=0.01)

        def conv(filters, size, name, activation=None):
            return keras.layers.Conv2D(
                filters,
                size,
                padding="same",
                activation=activation,
                kernel_initializer=initial,
                name=name,
            )

        self.convs = [conv(channels, 3, f"conv{i + 1}", "relu") for i in range(num_convs)]
        self.logits = conv(num_anchors * (2 if softmax else 1), 1, "logits")
        self.deltas = conv(4 * num_anchors, 1, "deltas")

    def build(self, input_shape):
        shape = next(iter(input_shape.values()))
        for conv in self.convs:
            conv.build(shape)
            shape = (*shape[:-1], self.channels)
        self.logits.build(shape)
        self.deltas.build(shape)
        self.built = True

    def call(self, features: dict[str, tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """{level: (B, H, W, F)} → logits [(B, A_level)], deltas [(B, A_level, 4)], float32.

        Anchors are in the order y, x, anchor of the cell.
        """
        logits, deltas = [], []
        for hidden in features.values():
            for conv in self.convs:
                hidden = conv(hidden)
            batch = tf.shape(hidden)[0]
            logits.append(self._one_each(tf.cast(self.logits(hidden), tf.float32), batch))
            deltas.append(tf.cast(tf.reshape(self.deltas(hidden), [batch, -1, 4]), tf.float32))
        return logits, deltas

    def of_anchors(self, features: dict[str, tf.Tensor], indices: tf.Tensor):
        """What `call` gives for some anchors, computed for them alone.

        The RPN learns from 256 of the 200,000 anchors of an image. Through `call` their gradients
        would take two convolutions over all of the pyramid, a tenth of a training step.

        Args:
            features: {level: (B, H, W, F)}.
            indices: (B, S) int32 among the anchors of all levels.

        Returns:
            logits (B, S), deltas (B, S, 4), float32.
        """
        cells, anchors = indices // self.num_anchors, tf.reshape(indices % self.num_anchors, [-1])
        radius = self.num_convs
        hidden, inside = patches(list(features.values()), cells, radius)
        for conv in self.convs:
            kernel, bias = (tf.cast(part, hidden.dtype) for part in (conv.kernel, conv.bias))
            hidden = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(hidden, kernel, 1, "VALID"), bias))
            inside = inside[:, 1:-1, 1:-1]
            hidden *= tf.cast(inside[..., None], hidden.dtype)  # `call` pads each convolution anew
        shape = [-1, self.num_anchors, 4]
        deltas = tf.reshape(tf.cast(self.deltas(hidden), tf.float32), shape)
        logits = self._one_each(tf.cast(self.logits(hidden), tf.float32), tf.size(indices))
        return (
            tf.reshape(tf.gather(logits, anchors, batch_dims=1), tf.shape(indices)),
            tf.reshape(
                tf.gather(deltas, anchors, batch_dims=1), [*tf.unstack(tf.shape(indices)), 4]
            ),
        )

    def _one_each(self, logits, batch):
        """(B, H, W, A) or (B, H, W, 2A) → (B, H·W·A)."""
        if self.softmax:
            background, objects = tf.unstack(tf.reshape(logits, [batch, -1, 2]), axis=-1)
            return objects - background
        return tf.reshape(logits, [batch, -1])

    def compute_output_shape(self, input_shape):
        levels = [(shape[0], None) for shape in input_shape.values()]
        return levels, [(*shape, 4) for shape in levels]

    def get_config(self):
        config = {"num_anchors": self.num_anchors, "channels": self.channels}
        config |= {"num_convs": self.num_convs, "softmax": self.softmax}
        return {**super().get_config(), **config}
