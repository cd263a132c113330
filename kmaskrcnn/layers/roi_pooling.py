"""RoIAlign over the pyramid (He et al. 2017, section 3; levels by Lin et al. 2017, equation 1)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import assign_levels, roi_align


@keras.saving.register_keras_serializable("kmaskrcnn")
class PyramidRoIAlign(keras.layers.Layer):
    """S×S features of each RoI, from the level that fits its size.

    Args:
        output_size: S.
        strides: pixels of the input a feature cell of each level, finest first.
        sampling_ratio: samples a bin and axis; 0: adaptive.
        aligned: the half-pixel shift of Detectron2's RoIAlignV2.
    """

    def __init__(
        self,
        output_size,
        strides=(4, 8, 16, 32),
        sampling_ratio=2,
        aligned=True,
        pooling="align",
        reduce="average",
        level_rule="detectron2",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.pooling, self.reduce, self.level_rule = pooling, reduce, level_rule
        self.output_size, self.strides = output_size, tuple(strides)
        self.sampling_ratio, self.aligned = sampling_ratio, aligned
        self.supports_jit = False
        self.built = True

    def call(self, features: dict[str, tf.Tensor], boxes, batch_indices) -> tf.Tensor:
        """{level: (B, H, W, F)}, boxes (R, 4), batch_indices (R,) → (R, S, S, F)."""
        levels = list(features.values())[: len(self.strides)]
        return roi_align(
            levels,
            boxes,
            batch_indices,
            assign_levels(boxes, num_levels=len(levels)),
            scales=[1.0 / stride for stride in self.strides],
            output_size=self.output_size,
            sampling_ratio=self.sampling_ratio,
            aligned=self.aligned,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "strides": self.strides,
            "sampling_ratio": self.sampling_ratio,
            "aligned": self.aligned,
        }
