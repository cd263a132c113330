"""The switches of a model: one frozen dataclass, read once by the model's constructor."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from kmaskrcnn.field_types import check_fields, check_names

CHOICES: dict[str, tuple[str, ...]] = {
    "resize": ("affine", "torchvision", "detectron2", "matterport"),
    "canvas": ("corner", "square"),
    "box_frame": ("pixels", "normalised"),
    "norm": ("frozen_batch", "fixed_batch", "batch", "group"),
    "pyramid": ("fpn", "c4", "c5", "dc5"),
    "fpn_norm": ("", "fixed_batch", "batch", "group"),
    "head_norm": ("", "fixed_batch", "batch", "group"),
    "dense_norm": ("", "fixed_batch", "batch"),
    "level_rule": ("detectron2", "torchvision", "matterport"),
    "roi_pooling": ("align", "pool", "warp", "crop"),
    "roi_reduce": ("average", "max"),
    "mask_head": ("fcn", "mlp"),
    "mask_activation": ("sigmoid", "softmax"),
    "mask_targets": ("binary", "soft", "crop"),
    "mask_paste": ("detectron2", "torchvision", "matterport"),
    "keypoint_score": ("probability", "logit"),
    "box_loss_over": ("rois", "positives"),
    "sampling": ("random", "first"),
    "optimizer": ("sgd", "adamw"),
}


# Pixels of the network's input from one cell of a feature map to the next, of each level.
FEATURE_STRIDES = {"fpn": (4, 8, 16, 32, 64), "c4": (16,), "c5": (32,), "dc5": (16,)}


@dataclasses.dataclass(frozen=True)
class MaskRCNNConfig:
    """Every switch of the network, its training and its predictions.

    Lengths are in pixels of the network input, sizes are (height, width). Defaults follow the
    paper (He et al. 2017, arXiv:1703.06870) as Detectron2 runs it, unless a comment says otherwise.

    Raises:
        ValueError: a field is of another type or out of its range; the message names the field.
    """

    # Network input: RGB in 0..255, short edge to min_size unless the long one would pass max_size.
    min_size: int = 800
    max_size: int = 1333
    size_divisor: int = 64  # images are padded to its multiples, in training and in prediction
    resize: str = "affine"  # how a prediction resizes: ours, or as one of the references
    canvas: str = "corner"  # "square": centred on max_size², black before the mean (matterport)
    box_frame: str = "pixels"  # "normalised": boxes over (side - 1), as matterport computes
    pixel_mean: tuple[float, ...] = (123.675, 116.28, 103.53)
    pixel_std: tuple[float, ...] = (58.395, 57.12, 57.375)

    # Backbone: one of ours, of keras.applications, or "package>name", a function of the user's that
    # is registered at Keras. Norm "fixed_batch" keeps the statistics and learns the scales.
    backbone: str = "resnet50"
    norm: str = "frozen_batch"
    norm_epsilon: float | None = None  # None: the epsilon that the backbone is published with
    stride_in_1x1: bool = False  # torchvision's bottleneck; MSRA's own weights: True
    conv_bias: bool = False  # True: a bias also where a norm follows (matterport)
    same_pool: bool = False  # True: the stem's max pool padded as TensorFlow's "same" (matterport)
    backbone_taps: tuple[tuple[str, str], ...] = ()  # (("C5", layer name), ...): other taps
    freeze_at: str = "C2"  # frozen up to here when pretrained weights are given; "" freezes nothing

    # Features: a pyramid (Lin et al. 2017), or one level: C4 under heads of res5, C5, dilated C5.
    pyramid: str = "fpn"
    fpn_channels: int = 256
    fpn_norm: str = ""

    # Region proposals. One tuple of anchor sides a level (P2 … P6), ratios are height / width.
    anchor_sizes: tuple[tuple[float, ...], ...] = ((32,), (64,), (128,), (256,), (512,))
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    round_anchors: bool = False  # True: torchvision's whole-pixel anchors
    fit_anchor_strides: bool = False  # True: torchvision's image size // grid
    rpn_channels: int = 256
    rpn_num_convs: int = 1
    rpn_softmax: bool = False  # True: a logit for the background, too (matterport)
    rpn_box_weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    delta_clamp: float | None = math.log(1000.0 / 16.0)  # most that dw and dh may say; None: any
    rpn_positive_iou: float = 0.7
    rpn_negative_iou: float = 0.3
    anchors_per_image: int = 256
    anchor_positive_fraction: float = 0.5
    pre_nms_train: int = 2000  # a level
    pre_nms_test: int = 1000
    proposals_train: int = 1000  # an image, after NMS
    proposals_test: int = 1000
    proposal_nms_iou: float = 0.7
    joint_proposals: bool = False  # True: all levels compete, empty boxes too (matterport)

    # RoI sampling and pooling.
    rois_per_image: int = 512
    roi_positive_fraction: float = 0.25
    roi_positive_iou: float = 0.5
    truth_as_proposals: bool = True  # the truth is appended to the proposals
    spare_rois: bool = False  # True: few positives, few negatives; the rest is empty (matterport)
    roi_pooling: str = "align"  # RoIAlign; "pool", "warp": the paper's table 2c; "crop": matterport
    roi_reduce: str = "average"  # how a bin sums its samples up, or "max"
    sampling_ratio: int = 2  # bilinear samples a bin and axis; 0: adaptive, as Detectron2
    roi_aligned: bool = True  # half-pixel shift of Detectron2's RoIAlignV2
    level_rule: str = "detectron2"  # which level a RoI is pooled from

    # Heads. "c4" pools 14×14 for res5, whose output the box head averages.
    head_norm: str = ""  # after the heads' convolutions
    dense_norm: str = ""  # after the box head's dense layers
    box_pool_size: int = 7
    box_head_num_convs: int = 0
    box_head_conv_channels: int = 256
    box_head_num_dense: int = 2
    box_head_channels: int = 1024
    box_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    class_agnostic_boxes: bool = False
    cascade_ious: tuple[float, ...] = ()  # Cascade R-CNN (Cai 2018): an IoU a stage
    cascade_box_weights: tuple[tuple[float, ...], ...] = (
        (10.0, 10.0, 5.0, 5.0),
        (20.0, 20.0, 10.0, 10.0),
        (30.0, 30.0, 15.0, 15.0),
    )
    with_masks: bool = True
    mask_head: str = "fcn"  # "mlp": fully connected, table 2e
    mask_size: int = 28  # side of a predicted mask; pooled at half of it
    mask_head_channels: int = 256
    mask_head_num_convs: int = 4
    mask_activation: str = "sigmoid"  # "softmax": the classes of a pixel compete, table 2b
    class_agnostic_masks: bool = False
    keypoint_names: tuple[str, ...] = ()  # none: no keypoint head
    keypoint_skeleton: tuple[tuple[int, int], ...] = ()  # pairs of keypoints, to draw
    keypoint_size: int = 56  # side of a predicted heatmap; pooled at a quarter of it
    keypoint_head_channels: int = 512
    keypoint_head_num_convs: int = 8
    keypoint_score: str = "probability"  # of a keypoint: Detectron2's, or torchvision's "logit"

    # Detections.
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    detections_per_image: int = 100
    best_class_only: bool = False  # True: a RoI speaks for its best class alone (matterport)
    mask_paste: str = "detectron2"  # how a small mask becomes a full one

    # Losses: the side at which smooth L1 turns linear (0: plain L1, as Detectron2).
    rpn_box_beta: float = 0.0
    box_beta: float = 0.0
    box_loss_over: str = "rois"  # what box losses are divided by; "positives": matterport
    mask_targets: str = "binary"  # "soft": torchvision's fractions; "crop": matterport's samples
    sampling: str = "random"  # "first": the first in order, to compare with a reference

    # Optimisation: "sgd" as in the paper, or "adamw", which needs fewer steps for a small dataset.
    # None derives the rate from the batch: 0.02 for 16 images as in the paper, 0.0005 for AdamW.
    optimizer: str = "sgd"
    learning_rate: float | None = None
    momentum: float = 0.9
    weight_decay: float = 1e-4
    clip_norm: float = 10.0
    warmup_steps: int = 500

    def __post_init__(self) -> None:
        check_fields(self)
        self._check()

    def _check(self) -> None:
        positive = (
            "min_size max_size size_divisor fpn_channels rpn_channels anchors_per_image "
            "pre_nms_train pre_nms_test proposals_train proposals_test rois_per_image "
            "box_pool_size detections_per_image box_head_channels mask_head_channels"
        )
        for name in positive.split():
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        fractions = (
            "rpn_positive_iou rpn_negative_iou anchor_positive_fraction proposal_nms_iou "
            "roi_positive_fraction roi_positive_iou score_threshold nms_iou"
        )
        for name in fractions.split():
            _require(0 <= getattr(self, name) <= 1, name, "between 0 and 1", getattr(self, name))
        _require(self.max_size >= self.min_size, "max_size", "at least min_size", self.max_size)
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            _require(value in choices, name, f"one of {', '.join(map(repr, choices))}", value)
        _require(self.sampling_ratio >= 0, "sampling_ratio", "0 or more", self.sampling_ratio)
        _require(
            self.mask_size >= 4 and self.mask_size % 2 == 0, "mask_size", "even", self.mask_size
        )
        levels = 5 if self.pyramid == "fpn" else 1
        _require(
            len(self.anchor_sizes) == levels,
            "anchor_sizes",
            f"a tuple for each level of {self.pyramid!r}, {levels} in all",
            self.anchor_sizes,
        )
        _require(
            len({len(sizes) for sizes in self.anchor_sizes}) == 1,
            "anchor_sizes",
            "as many sizes on every level",
            self.anchor_sizes,
        )

    def replace(self, **changes: Any) -> MaskRCNNConfig:
        """A copy with other values.

        Raises:
            TypeError: a name is not a field; the message lists the nearest ones.
        """
        check_names(MaskRCNNConfig, changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON; `MaskRCNNConfig(**d)` reads them back."""
        return dataclasses.asdict(self)


def _require(condition: bool, name: str, expected: str, got: Any) -> None:
    if not condition:
        raise ValueError(f"MaskRCNNConfig.{name} must be {expected}, but it is {got!r}.")
