"""Narrow networks with the conventions of each reference, and arrays for them."""

import functools
import gc

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.model import MaskRCNN

NARROW = {
    "backbone": "resnet_tiny",
    "fpn_channels": 16,
    "rpn_channels": 16,
    "box_pool_size": 3,
    "box_head_channels": 8,
    "box_head_conv_channels": 16,
    "mask_head_channels": 16,
    "keypoint_head_channels": 16,
}
Shapes = dict[str, tuple[int, ...]]


def built(preset: str, class_names, **fields) -> tuple[Shapes, MaskRCNNConfig]:
    """Shapes and config of a model that is gone again."""
    model = MaskRCNN.from_preset(preset, class_names, **fields)
    shapes = {name: tuple(variable.shape) for name, variable in model.parameters.items()}
    config = model.config
    del model
    gc.collect()
    return shapes, config


@functools.cache
def small(preset: str, num_classes: int = 3, **fields) -> tuple[Shapes, MaskRCNNConfig]:
    """Shapes and config of a preset made narrow."""
    return built(preset, [f"class {i}" for i in range(num_classes)], **{**NARROW, **fields})


def numbered(shapes: Shapes) -> dict[str, np.ndarray]:
    """Arrays in which every number is another one."""
    arrays, first = {}, 1
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        arrays[name] = np.arange(first, first + size, dtype=np.float32).reshape(shape)
        first += size
    assert first < 2**24  # all of them are exact
    return arrays


def assert_same(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(got) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(got[name], array, strict=True, err_msg=name)
