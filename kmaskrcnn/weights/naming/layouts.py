"""How an array of theirs lies, and how ours: changes that can be undone exactly.

Ours are Keras' layouts. A kernel's last axis, like a bias' only one, is what the layer puts out,
so the orders of classes and of box sides are changed there, after the kernel was turned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Layout:
    """A change of layout and its inverse.

    Attributes:
        inward: their array to ours. What we have no use for, such as the deltas of a background,
            is dropped.
        outward: ours to theirs. What was dropped is zero, so outward then inward is the identity.
    """

    inward: Change
    outward: Change

    def then(self, next_layout: Layout) -> Layout:
        """This change on their array and then another; outward in the opposite order."""
        return Layout(
            lambda array: next_layout.inward(self.inward(array)),
            lambda array: self.outward(next_layout.outward(array)),
        )


def permuted(*axes: int) -> Layout:
    """Our axis ``i`` is their axis ``axes[i]``."""
    back = tuple(int(axis) for axis in np.argsort(axes))
    return Layout(lambda array: array.transpose(axes), lambda array: array.transpose(back))


SAME = Layout(lambda array: array, lambda array: array)

CONV = permuted(2, 3, 1, 0)
"""PyTorch's (out, in, h, w) to Keras' (h, w, in, out); with groups, in is that of one group.

It is also right for transposed convolutions, PyTorch's (in, out, h, w) to Keras' (h, w, out, in):
both scatter ``kernel[y, x]`` to pixel ``stride · position + (y, x) − padding``, nothing is flipped.
"""

DENSE = permuted(1, 0)
"""PyTorch's (out, in) to Keras' (in, out)."""

BGR = Layout(lambda array: array[:, :, ::-1], lambda array: array[:, :, ::-1])
"""A first kernel (h, w, in, out) that reads BGR, for images that are RGB."""

BACKGROUND_LAST = Layout(
    lambda array: np.roll(array, -1, axis=-1), lambda array: np.roll(array, 1, axis=-1)
)
"""Logits of the background first, to last."""


def without_background(width: int) -> Layout:
    """The background's outputs, ``width`` of them, stand first in theirs and not at all in ours."""

    def outward(array: np.ndarray) -> np.ndarray:
        return np.concatenate([np.zeros_like(array[..., :width]), array], axis=-1)

    return Layout(lambda array: array[..., width:], outward)


def _swap_y_and_x(array: np.ndarray) -> np.ndarray:
    boxes = array.reshape(*array.shape[:-1], -1, 4)
    return boxes[..., [1, 0, 3, 2]].reshape(array.shape)


Y_X_DELTAS = Layout(_swap_y_and_x, _swap_y_and_x)
"""Outputs dy dx dh dw of each box, to dx dy dw dh."""


def channels_first_map(side: int) -> Layout:
    """A dense kernel whose input was flattened from (F, S, S), to one from (S, S, F)."""

    def inward(kernel: np.ndarray) -> np.ndarray:
        rows = kernel.reshape(-1, side, side, kernel.shape[-1])
        return rows.transpose(1, 2, 0, 3).reshape(kernel.shape)

    def outward(kernel: np.ndarray) -> np.ndarray:
        rows = kernel.reshape(side, side, -1, kernel.shape[-1])
        return rows.transpose(2, 0, 1, 3).reshape(kernel.shape)

    return Layout(inward, outward)


def convolved_map(side: int) -> Layout:
    """A convolution (S, S, F, out) over a whole map, to the dense kernel (S·S·F, out) it is."""
    return Layout(
        lambda kernel: kernel.reshape(-1, kernel.shape[-1]),
        lambda kernel: kernel.reshape(side, side, -1, kernel.shape[-1]),
    )


# ---------------------------------------------------------------- which one a parameter needs


def of_torch(name: str, shape: Sequence[int], config: MaskRCNNConfig) -> Layout:
    """PyTorch's layout of a parameter of ours, before anything about classes.

    Args:
        name: our name, ``box_head/dense1/kernel``; shape: our array's.
    """
    if not name.endswith("/kernel"):
        return SAME
    if len(shape) == 4:
        return CONV
    on_map = name.split("/")[1] == "dense1"  # the first one after the pooled map
    return DENSE.then(channels_first_map(config.box_pool_size)) if on_map else DENSE


def background_first(name: str, config: MaskRCNNConfig) -> Layout:
    """The order of classes where background is class 0 and has deltas and a mask, too."""
    part, layer, _ = name.split("/")
    if part.startswith("box_head") and layer == "logits":
        return BACKGROUND_LAST
    if part.startswith("box_head") and layer == "deltas" and not config.class_agnostic_boxes:
        return without_background(4)
    if part == "mask_head" and layer == "logits" and not config.class_agnostic_masks:
        return BACKGROUND_LAST if config.mask_activation == "softmax" else without_background(1)
    return SAME
