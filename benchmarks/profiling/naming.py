"""Which part of the network an operation belongs to, by its name, and what it does, by its type."""

from __future__ import annotations

import re

BODY, PYRAMID, RPN, PROPOSALS = "body", "FPN", "RPN", "proposals"
POOLING, BOXES, MASKS, PASTING = "RoIAlign", "box head", "mask head", "pasting"
LOSSES, OPTIMIZER, OTHER = "targets and losses", "optimizer", "other"
PARTS = (BODY, PYRAMID, RPN, PROPOSALS, POOLING, BOXES, MASKS, PASTING, LOSSES, OPTIMIZER, OTHER)

CONVOLUTIONS, ELEMENTWISE, COPIES = "convolutions and products", "element-wise", "copies and casts"
RESAMPLING, SELECTION = "RoIAlign and pooling", "selection"
PYTHON, WAITING = "Python", "waiting"
KINDS = (CONVOLUTIONS, ELEMENTWISE, COPIES, RESAMPLING, SELECTION, PYTHON, WAITING)

_LAYERS = {  # a layer's name in the scope → its part
    "backbone": BODY,
    "res5": BODY,
    "fpn": PYRAMID,
    "neck": PYRAMID,
    "rpn_head": RPN,
    "anchors": PROPOSALS,
    "proposals": PROPOSALS,
    "box_pooling": POOLING,
    "mask_pooling": POOLING,
    "box_head": BOXES,
    "detection": BOXES,
    "mask_head": MASKS,
    "anchor_sampler": LOSSES,
    "roi_sampler": LOSSES,
}
_OPTIMIZERS = re.compile(r"(?i)optimizer|adam|sgd|kmaskrcnn_default|clip_by|global_norm")
_KINDS = (  # the first pattern that a type has in it
    (CONVOLUTIONS, re.compile("Conv|MatMul|Einsum|Dot")),
    (RESAMPLING, re.compile("RoiAlign|Pool|CropAndResize")),
    (SELECTION, re.compile("TopK|NonMax|Where|Sort|ArgM|Unique|Random|Bincount")),
    (
        COPIES,
        re.compile(
            "Pad|Transpose|Concat|Gather|Scatter|Pack|Slice|Tile|Reshape|Split|Cast|Fill|Stitch|"
            "Resize|Identity|Read|Broadcast|Copy|TensorList|Squeeze|ExpandDims|Reverse|ToTf|Zeros|"
            "DepthToSpace|Segment"
        ),
    ),
)


def part_of(name: str, training: bool) -> str:
    """The part of an operation such as ``mask_rcnn_1/fpn_1/lateral_C3/BiasAdd``, gradients too.

    Args:
        name: with its scopes.
        training: what belongs to no layer is then of the losses and their targets.
    """
    for scope in name.split("/"):
        part = _LAYERS.get(re.sub(r"(_\d+)+$", "", scope))
        if part is not None:
            return part
    if _OPTIMIZERS.search(name):
        return OPTIMIZER
    return LOSSES if training and "mask_rcnn" in name else OTHER


def kind_of(operation: str) -> str:
    """What an operation's type is: ``_MklNativeFusedConv2D`` is a convolution."""
    return next((kind for kind, types in _KINDS if types.search(operation)), ELEMENTWISE)
