"""Detectron2's names and layouts (detectron2/modeling, 0.6 and after).

Classes lie as ours do, background last. Its models read BGR and ours RGB: the first kernel is
turned. Files of Detectron1 and Caffe2 come through `caffe2`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.layouts import BGR, Layout, of_torch
from kmaskrcnn.weights.naming.names import TORCH_WEIGHTS, Framework, Table, translated

_NO_PARAMETERS = r"pixel_(mean|std)$|(.*\.)?cell_anchors\.|.*num_batches_tracked$"
_FULL_NAMES = (  # a file may name the layers without the parts of the network in front
    (r"^backbone\.bottom_up\.", "backbone."),
    (r"^roi_heads\.res5\.", "backbone.res5."),
    (r"^(stem|res\d)\.", r"backbone.\1."),
)


def _body(prefix: str) -> Table:
    """The names of the backbone, and of C4's head; a norm belongs to its convolution."""
    return (
        (r"backbone/stem\.conv", lambda: f"{prefix}stem.conv1"),
        (r"backbone/stem\.norm", lambda: f"{prefix}stem.conv1.norm"),
        *_blocks("backbone", prefix),
        *_blocks("res5", "roi_heads."),
    )


def _blocks(part: str, prefix: str) -> Table:
    block = part + r"/res(\d)\.(\d+)"
    return (
        (block + r"\.conv(\d)", lambda s, b, n: f"{prefix}res{s}.{b}.conv{n}"),
        (block + r"\.norm(\d)", lambda s, b, n: f"{prefix}res{s}.{b}.conv{n}.norm"),
        (block + r"\.shortcut\.conv", lambda s, b: f"{prefix}res{s}.{b}.shortcut"),
        (block + r"\.shortcut\.norm", lambda s, b: f"{prefix}res{s}.{b}.shortcut.norm"),
    )


def _heads(config: MaskRCNNConfig) -> Table:
    one = config.rpn_num_convs == 1
    rpn, roi = "proposal_generator.rpn_head", "roi_heads"
    return (
        (r"fpn/lateral_C(\d)", lambda level: f"backbone.fpn_lateral{level}"),
        (r"fpn/lateral_C(\d)\.norm", lambda level: f"backbone.fpn_lateral{level}.norm"),
        (r"fpn/output_P(\d)", lambda level: f"backbone.fpn_output{level}"),
        (r"fpn/output_P(\d)\.norm", lambda level: f"backbone.fpn_output{level}.norm"),
        (r"rpn_head/conv(\d+)", lambda n: f"{rpn}.conv" if one else f"{rpn}.conv.conv{n - 1}"),
        (r"rpn_head/logits", lambda: f"{rpn}.objectness_logits"),
        (r"rpn_head/deltas", lambda: f"{rpn}.anchor_deltas"),
        (r"box_head(?:_(\d))?/conv(\d+)", lambda s, n: f"{roi}.box_head{_stage(s)}.conv{n}"),
        (
            r"box_head(?:_(\d))?/conv(\d+)\.norm",
            lambda s, n: f"{roi}.box_head{_stage(s)}.conv{n}.norm",
        ),
        (r"box_head(?:_(\d))?/dense(\d+)", lambda s, n: f"{roi}.box_head{_stage(s)}.fc{n}"),
        (r"box_head(?:_(\d))?/logits", lambda s: f"{roi}.box_predictor{_stage(s)}.cls_score"),
        (r"box_head(?:_(\d))?/deltas", lambda s: f"{roi}.box_predictor{_stage(s)}.bbox_pred"),
        (r"mask_head/conv(\d+)", lambda n: f"{roi}.mask_head.mask_fcn{n}"),
        (r"mask_head/conv(\d+)\.norm", lambda n: f"{roi}.mask_head.mask_fcn{n}.norm"),
        (r"mask_head/deconv", lambda: f"{roi}.mask_head.deconv"),
        (r"mask_head/logits", lambda: f"{roi}.mask_head.predictor"),
        (r"keypoint_head/conv(\d+)", lambda n: f"{roi}.keypoint_head.conv_fcn{n}"),
        (r"keypoint_head/deconv", lambda: f"{roi}.keypoint_head.score_lowres"),
    )


def _stage(number: int | None) -> str:
    """The stage of a cascade: ours count from 1, theirs from 0."""
    return "" if number is None else f".{number - 1}"


def their_name(name: str, config: MaskRCNNConfig) -> str | None:
    """``backbone/stem.norm/gamma`` → ``backbone.bottom_up.stem.conv1.norm.weight``."""
    prefix = "backbone.bottom_up." if config.pyramid == "fpn" else "backbone."
    found = translated(name, (*_body(prefix), *_heads(config)))
    return found and f"{found[0]}.{TORCH_WEIGHTS[found[1]]}"


def layout(name: str, shape: Sequence[int], config: MaskRCNNConfig) -> Layout:
    """PyTorch's arrays, the first kernel over BGR."""
    of_array = of_torch(name, shape, config)
    return of_array.then(BGR) if name == "backbone/stem.conv/kernel" else of_array


def canonical(name: str) -> str | None:
    """The name with the body in one place, so that any model's body is found in any other's."""
    if re.match(_NO_PARAMETERS, name):
        return None
    for pattern, full in _FULL_NAMES:
        name = re.sub(pattern, full, name)
    return name


DETECTRON2 = Framework(
    "detectron2",
    r"proposal_generator\.|backbone\.bottom_up\.|(backbone\.)?res\d\.\d+\.conv1\.",
    their_name,
    layout,
    canonical,
    {
        "conv_bias": (False,),
        "rpn_softmax": (False,),
        "dense_norm": ("",),
        "mask_head": ("fcn",),
        "mask_activation": ("sigmoid",),
    },
)
