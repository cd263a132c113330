"""The names and layouts of matterport/Mask_RCNN (mrcnn/model.py).

Its files are Keras', so kernels lie as ours do, but its class 0 is the background, its deltas are
dy dx dh dw, and the box head's dense layers are convolutions over the whole pooled map.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.layouts import (
    SAME,
    Y_X_DELTAS,
    Layout,
    background_first,
    convolved_map,
)
from kmaskrcnn.weights.naming.names import Framework, Table, translated

_BLOCK = r"backbone/res(\d)\.(1?\d|2[0-5])"  # blocks a … z
_LAYERS: Table = (
    (r"backbone/stem\.conv", lambda: "conv1"),
    (r"backbone/stem\.norm", lambda: "bn_conv1"),
    (_BLOCK + r"\.conv([1-3])", lambda s, b, n: f"res{s}{_letter(b)}_branch2{_letter(n - 1)}"),
    (_BLOCK + r"\.norm([1-3])", lambda s, b, n: f"bn{s}{_letter(b)}_branch2{_letter(n - 1)}"),
    (_BLOCK + r"\.shortcut\.conv", lambda s, b: f"res{s}{_letter(b)}_branch1"),
    (_BLOCK + r"\.shortcut\.norm", lambda s, b: f"bn{s}{_letter(b)}_branch1"),
    (r"fpn/lateral_C(\d)", lambda level: f"fpn_c{level}p{level}"),
    (r"fpn/output_P(\d)", lambda level: f"fpn_p{level}"),
    (r"rpn_head/conv1", lambda: "rpn_conv_shared"),
    (r"rpn_head/logits", lambda: "rpn_class_raw"),
    (r"rpn_head/deltas", lambda: "rpn_bbox_pred"),
    (r"box_head/dense(\d)", lambda number: f"mrcnn_class_conv{number}"),
    (r"box_head/dense(\d)\.norm", lambda number: f"mrcnn_class_bn{number}"),
    (r"box_head/logits", lambda: "mrcnn_class_logits"),
    (r"box_head/deltas", lambda: "mrcnn_bbox_fc"),
    (r"mask_head/conv(\d)", lambda number: f"mrcnn_mask_conv{number}"),
    (r"mask_head/conv(\d)\.norm", lambda number: f"mrcnn_mask_bn{number}"),
    (r"mask_head/deconv", lambda: "mrcnn_mask_deconv"),
    (r"mask_head/logits", lambda: "mrcnn_mask"),
)
_KERAS_1_WEIGHTS = {
    "W": "kernel",
    "b": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",  # its name there, and a variance all the same
}
_KERAS_1 = rf"(\w+)_({'|'.join(_KERAS_1_WEIGHTS)})(?:_\d+)?"


def _letter(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number]


def their_name(name: str, config: MaskRCNNConfig) -> str | None:
    """``backbone/stem.norm/gamma`` → ``bn_conv1/bn_conv1/gamma:0``, the path in its ``.h5``."""
    found = translated(name, _LAYERS)
    return found and _path(*found)


def _path(layer: str, weight: str) -> str:
    group = "rpn_model" if layer.startswith("rpn_") else layer
    return f"{group}/{layer}/{weight}:0"


def layout(name: str, shape: Sequence[int], config: MaskRCNNConfig) -> Layout:
    """Keras' arrays, background first, y before x."""
    part, layer, weight = name.split("/")
    dense = re.fullmatch(r"dense(\d)", layer)
    if part == "box_head" and dense and weight == "kernel":
        return convolved_map(config.box_pool_size if dense[1] == "1" else 1)
    order = Y_X_DELTAS if layer == "deltas" else SAME
    return order.then(background_first(name, config))


def canonical(name: str) -> str | None:
    """The path in a ``.h5``, from it or from ``layer/weight``; None for the anchors of some forks.

    A model that is not the first of its process has layers ``conv1_1``: the number goes. So does
    what Keras 1 called its weights, as in the ImageNet file that a training starts from.
    """
    parts = name.removesuffix(":0").split("/")
    if parts[0] == "anchors":
        return None
    older = re.fullmatch(_KERAS_1, parts[-1])
    if older:
        return _path(older[1], _KERAS_1_WEIGHTS[older[2]])
    return _path(re.sub(r"_\d+$", "", parts[-2]), parts[-1]) if len(parts) > 1 else name


MATTERPORT = Framework(
    "matterport",
    r"rpn_model/|rpn_conv_shared|mrcnn_|fpn_c\dp\d|res\da_branch2a[/_][^w]",
    their_name,
    layout,
    canonical,
    {
        "pyramid": ("fpn",),
        "conv_bias": (True,),
        "fpn_norm": ("",),
        "rpn_num_convs": (1,),
        "rpn_softmax": (True,),
        "box_head_num_convs": (0,),
        "dense_norm": ("fixed_batch", "batch"),
        "cascade_ious": ((),),
        "mask_head": ("fcn",),
        "keypoint_names": ((),),
    },
)
