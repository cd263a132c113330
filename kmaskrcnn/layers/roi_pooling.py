"""Features of RoIs: RoIAlign over the pyramid, and what the paper and its peers compare it with.

He et al., Mask R-CNN, 2017, section 3 and table 2c.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import assign_levels, frames, roi_align, roi_crop, roi_pool, roi_warp
from kmaskrcnn.ops.levels import RULES
from kmaskrcnn.ops.roi_align import REDUCTIONS

POOLINGS = ("align", "pool", "warp", "crop")


@keras.saving.register_keras_serializable("kmaskrcnn")
class RoIPooling(keras.layers.Layer):
    """S×S features of each RoI, from the level that fits its size.

    Args:
        output_size: S.
        strides: pixels of the input a feature cell of each level, finest first. One stride: one
            level, from which all RoIs are pooled.
        sampling_ratio: bilinear samples a bin and axis, 0: adaptive. "pool" and "crop" have none.
        aligned: the half-pixel shift of Detectron2's RoIAlignV2; of "align" and "warp".
        pooling: "align"; "pool" and "warp", which round RoIs to whole cells; "crop", matterport's
            one sample a bin. With "crop" boxes are normalised, otherwise pixels.
        reduce: "average" or "max" of a bin's samples.
        level_rule: "detectron2", "torchvision" or "matterport", see `assign_levels`.

    Raises:
        ValueError: a value that is none of these, or the average of "pool", which is a maximum.
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
        _check_choice("pooling", pooling, POOLINGS)
        if pooling == "pool":
            _check_choice("reduce with pooling 'pool'", reduce, ("max",))
        _check_choice("reduce", reduce, REDUCTIONS)
        _check_choice("level_rule", level_rule, RULES)
        self.output_size, self.strides = output_size, tuple(strides)
        self.sampling_ratio, self.aligned = sampling_ratio, aligned
        self.pooling, self.reduce, self.level_rule = pooling, reduce, level_rule
        self.supports_jit = False
        self.built = True

    def call(self, features: dict[str, tf.Tensor], boxes, batch_indices, canvas=None) -> tf.Tensor:
        """Pools the RoIs.

        Args:
            features: {level: (B, H, W, F)}, finest first; levels beyond the strides are not used.
            boxes: (R, 4) x1 y1 x2 y2 in pixels of the network's input; normalised for "crop".
            batch_indices: (R,) int, the image of each.
            canvas: (2,) int height and width of the padded input in pixels; by default the first
                level's grid times its stride.

        Returns:
            (R, S, S, F) of the features' dtype.
        """
        levels = list(features.values())[: len(self.strides)]
        if canvas is None:
            canvas = tf.shape(levels[0])[1:3] * self.strides[0]
        rois = boxes, batch_indices, self._level_of(boxes, canvas)
        if self.pooling == "crop":
            return roi_crop(levels, *rois, output_size=self.output_size)
        scaled = {
            "scales": [1.0 / stride for stride in self.strides],
            "output_size": self.output_size,
        }
        if self.pooling == "pool":
            return roi_pool(levels, *rois, **scaled)
        return (roi_align if self.pooling == "align" else roi_warp)(
            levels,
            *rois,
            **scaled,
            sampling_ratio=self.sampling_ratio,
            aligned=self.aligned,
            reduce=self.reduce,
        )

    def _level_of(self, boxes, canvas):
        """(R,) int32; each rule is given the boxes in its own frame."""
        if len(self.strides) == 1:
            return tf.zeros(tf.shape(boxes)[:1], tf.int32)
        if self.pooling == "crop" and self.level_rule != "matterport":
            boxes = frames.denormalise(boxes, canvas)
        elif self.pooling != "crop" and self.level_rule == "matterport":
            boxes = frames.normalise(boxes, canvas)
        return assign_levels(
            boxes, num_levels=len(self.strides), rule=self.level_rule, canvas=canvas
        )

    def get_config(self):
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "strides": self.strides,
            "sampling_ratio": self.sampling_ratio,
            "aligned": self.aligned,
            "pooling": self.pooling,
            "reduce": self.reduce,
            "level_rule": self.level_rule,
        }


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        names = " or ".join(map(repr, choices))
        raise ValueError(f"RoIPooling: {name} must be {names}, not {value!r}.")
