"""Anchors of every pyramid level."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import anchors as anchor_ops


@keras.saving.register_keras_serializable("kmaskrcnn")
class AnchorGenerator(keras.layers.Layer):
    """Anchors over the grid of each level, centred on multiples of its stride.

    Args:
        sizes: one tuple of sides (pixels) a level, ratios: height / width.
        strides: pixels between neighbouring cells, one a level.
        rounded: whole-pixel anchors, as torchvision.
        fitted: strides are the padded image's size // grid, as torchvision: on P6 of a side that
            is no multiple of 64 they are less than 64.
        exact: in float64, in which matterport finds the best anchors of a truth; their overlaps
            are often equal but for the last bits of a float32.
    """

    def __init__(
        self,
        sizes,
        ratios,
        strides,
        rounded: bool = False,
        fitted: bool = False,
        exact: bool = False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.sizes = tuple(tuple(level) for level in sizes)
        self.ratios, self.strides = tuple(ratios), tuple(strides)
        self.rounded, self.fitted, self.exact = rounded, fitted, exact
        dtype = "float64" if exact else "float32"
        self.cells = [
            anchor_ops.cell_anchors(side, ratios, rounded=rounded, dtype=dtype)
            for side in self.sizes
        ]
        self.built = True

    def call(self, features: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        """{level: (B, H, W, F)} → [(A_level, 4)] pixels, in the order y, x, anchor."""
        grids = [tf.shape(level)[1:3] for level in features.values()]
        image_size = grids[0] * self.strides[0]
        strides = [image_size // grid for grid in grids] if self.fitted else self.strides
        return [
            anchor_ops.grid_anchors(grid, stride, cell)
            for grid, stride, cell in zip(grids, strides, self.cells, strict=True)
        ]

    def get_config(self):
        config = {"sizes": self.sizes, "ratios": self.ratios, "strides": self.strides}
        config |= {"rounded": self.rounded, "fitted": self.fitted, "exact": self.exact}
        return {**super().get_config(), **config}
