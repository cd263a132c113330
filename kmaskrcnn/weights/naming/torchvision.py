"""torchvision's names and layouts (torchvision/models/detection, 0.29).

Published files of its first versions have older names than its code; both are read, the newer ones
written. Background is class 0 and has deltas and masks, which come in dropped and go out zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.layouts import Layout, background_first, of_torch
from kmaskrcnn.weights.naming.names import TORCH_WEIGHTS, Framework, Table, translated

_BODY: Table = (
    (r"backbone/stem\.conv", lambda: "backbone.body.conv1"),
    (r"backbone/stem\.norm", lambda: "backbone.body.bn1"),
    (
        r"backbone/res(\d)\.(\d+)\.conv(\d)",
        lambda stage, block, number: f"backbone.body.layer{stage - 1}.{block}.conv{number}",
    ),
    (
        r"backbone/res(\d)\.(\d+)\.norm(\d)",
        lambda stage, block, number: f"backbone.body.layer{stage - 1}.{block}.bn{number}",
    ),
    (
        r"backbone/res(\d)\.(\d+)\.shortcut\.conv",
        lambda stage, block: f"backbone.body.layer{stage - 1}.{block}.downsample.0",
    ),
    (
        r"backbone/res(\d)\.(\d+)\.shortcut\.norm",
        lambda stage, block: f"backbone.body.layer{stage - 1}.{block}.downsample.1",
    ),
)
_HEADS: Table = (
    (r"fpn/lateral_C(\d)", lambda level: f"backbone.fpn.inner_blocks.{level - 2}.0"),
    (r"fpn/lateral_C(\d)\.norm", lambda level: f"backbone.fpn.inner_blocks.{level - 2}.1"),
    (r"fpn/output_P(\d)", lambda level: f"backbone.fpn.layer_blocks.{level - 2}.0"),
    (r"fpn/output_P(\d)\.norm", lambda level: f"backbone.fpn.layer_blocks.{level - 2}.1"),
    (r"rpn_head/conv(\d+)", lambda number: f"rpn.head.conv.{number - 1}.0"),
    (r"rpn_head/logits", lambda: "rpn.head.cls_logits"),
    (r"rpn_head/deltas", lambda: "rpn.head.bbox_pred"),
    (r"box_head/conv(\d+)", lambda number: f"roi_heads.box_head.{number - 1}.0"),
    (r"box_head/conv(\d+)\.norm", lambda number: f"roi_heads.box_head.{number - 1}.1"),
    (r"box_head/logits", lambda: "roi_heads.box_predictor.cls_score"),
    (r"box_head/deltas", lambda: "roi_heads.box_predictor.bbox_pred"),
    (r"mask_head/conv(\d+)", lambda number: f"roi_heads.mask_head.{number - 1}.0"),
    (r"mask_head/conv(\d+)\.norm", lambda number: f"roi_heads.mask_head.{number - 1}.1"),
    (r"mask_head/deconv", lambda: "roi_heads.mask_predictor.conv5_mask"),
    (r"mask_head/logits", lambda: "roi_heads.mask_predictor.mask_fcn_logits"),
    (r"keypoint_head/conv(\d+)", lambda number: f"roi_heads.keypoint_head.{2 * (number - 1)}"),
    (r"keypoint_head/deconv", lambda: "roi_heads.keypoint_predictor.kps_score_lowres"),
)
_OLDER_NAMES = (
    (r"^(conv1|bn1|layer\d)\.", r"backbone.body.\1."),  # a classifier's body alone
    (r"(inner|layer)_blocks\.(\d)\.(weight|bias)$", r"\1_blocks.\2.0.\3"),
    (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1"),
)


def their_name(name: str, config: MaskRCNNConfig) -> str | None:
    """``backbone/stem.norm/gamma`` → ``backbone.body.bn1.weight``."""
    found = translated(name, (*_BODY, *_HEADS, _dense(config.box_head_num_convs)))
    return found and f"{found[0]}.{TORCH_WEIGHTS[found[1]]}"


def _dense(num_convs: int):
    """fc6 and fc7, or after convolutions their place in a sequence: convs, flatten, (fc, ReLU)."""

    def layer(number: int) -> str:
        place = str(num_convs + 2 * number - 1) if num_convs else f"fc{number + 5}"
        return f"roi_heads.box_head.{place}"

    return r"box_head/dense(\d+)", layer


def layout(name: str, shape: Sequence[int], config: MaskRCNNConfig) -> Layout:
    """PyTorch's arrays, background first."""
    return of_torch(name, shape, config).then(background_first(name, config))


def canonical(name: str) -> str | None:
    """The newest name; None for the counters of batch norms."""
    if name.endswith("num_batches_tracked"):
        return None
    older = re.fullmatch(r"roi_heads\.mask_head\.mask_fcn(\d+)\.(weight|bias)", name)
    if older:
        return f"roi_heads.mask_head.{int(older[1]) - 1}.0.{older[2]}"
    for pattern, newer in _OLDER_NAMES:
        name = re.sub(pattern, newer, name)
    return name


TORCHVISION = Framework(
    "torchvision",
    r"backbone\.body\.|rpn\.head\.|layer\d\.\d+\.conv1\.",
    their_name,
    layout,
    canonical,
    {
        "pyramid": ("fpn",),
        "conv_bias": (False,),
        "rpn_softmax": (False,),
        "dense_norm": ("",),
        "class_agnostic_boxes": (False,),
        "cascade_ious": ((),),
        "mask_head": ("fcn",),
        "class_agnostic_masks": (False,),
    },
)
