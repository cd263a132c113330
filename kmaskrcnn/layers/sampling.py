"""What the anchor sampler and the RoI sampler share."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import boxes as box_ops

CROWD_OVERLAP = 0.5  # share of a box inside a crowd region above which it is no negative


class Priorities(keras.layers.Layer):
    """Who comes first when there are more candidates than places.

    Args:
        sampling: "random" from the layer's own seed, or "first" in order.
    """

    def __init__(self, sampling: str = "random", **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.sampling = sampling
        self.state = self.add_weight(  # seed and draws so far; a weight, so that it is saved
            shape=(2,), dtype="int32", initializer="zeros", trainable=False, name="state"
        )
        self.built = True

    def call(self, shape, training: bool = True) -> tf.Tensor:
        """shape (B, N) → float32 in (0, 1]; the highest win. Without training always the same."""
        if self.sampling == "first":
            count = tf.cast(shape[1], tf.float32)
            row = (count - tf.range(count)) / tf.maximum(count, 1.0)
            return tf.broadcast_to(row, shape)
        seed = tf.identity(self.state.value) if training else tf.zeros([2], tf.int32)
        if training:
            self.state.assign_add([0, 1])
        return 1.0 - tf.random.stateless_uniform(shape, seed)

    def reseed(self, seed: int) -> None:
        """Starts the random order anew."""
        self.state.assign([seed, 0])


def crowd_overlap(boxes: tf.Tensor, crowd: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Which candidates (R, 4) lie by more than half in one of the crowd regions among boxes."""
    regions = tf.boolean_mask(boxes, crowd)
    inside = box_ops.intersection_over_area(regions, candidates)  # (N', R)
    return tf.reduce_any(inside > CROWD_OVERLAP, axis=0)
