"""The head of the C4 systems: pooled features through the last stage of the ResNet."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class PooledRes5(keras.layers.Layer):
    """RoI pooling, then res5: one for boxes and masks (He et al. 2017, figure 4, left).

    Args:
        pooling: (features, boxes, batch_indices) → (R, S, S, F4).
        res5: (R, S, S, F4) → (R, S/2, S/2, F5).
    """

    def __init__(self, pooling, res5, **kwargs):
        super().__init__(**kwargs)
        self.pooling, self.res5 = pooling, res5
        self.built = True

    def call(self, features, boxes, batch_indices) -> tf.Tensor:
        """{level: (B, H, W, F4)}, boxes (R, 4), batch_indices (R,) → (R, S/2, S/2, F5)."""
        return self.res5(self.pooling(features, boxes, batch_indices))
