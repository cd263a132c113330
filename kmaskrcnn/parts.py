"""From the config to the layers of a network: each switch is read here, and handed on as scalar."""

from __future__ import annotations

from pathlib import Path

import keras

from kmaskrcnn.backbones import Backbone, build_backbone, build_res5
from kmaskrcnn.config import FEATURE_STRIDES, MaskRCNNConfig
from kmaskrcnn.layers import (
    FPN,
    AnchorGenerator,
    AnchorSampler,
    BoxBranch,
    BoxHead,
    CascadeBranch,
    DetectionLayer,
    ImageNormalization,
    KeypointBranch,
    KeypointHead,
    MaskBranch,
    MaskHead,
    MLPMaskHead,
    PooledRes5,
    ProposalLayer,
    RoIPooling,
    RoISampler,
    RPNHead,
    SingleLevel,
)

_HEADS_OF_C4 = 14  # res5 sees RoIs of 14×14 and halves them


class Parts:
    """The layers of one network; those that two branches share are made once.

    Args:
        config: every switch. num_classes: C, without background.
        backbone_weights: None (random), "imagenet", or a file of the backbone's arrays.
    """

    def __init__(self, config: MaskRCNNConfig, num_classes: int, backbone_weights=None):
        self.config, self.num_classes = config, num_classes
        self.strides = FEATURE_STRIDES[config.pyramid]
        self.backbone = self._backbone(backbone_weights)
        self.neck = self._neck()
        self.channels = self._channels()
        self.res5 = None
        if config.pyramid == "c4":
            self.res5 = build_res5(config.backbone, **self._of_resnets(), **self._norms())

    # ---------------------------------------------------------------- features

    def normalization(self) -> ImageNormalization:
        config = self.config
        return ImageNormalization(
            config.pixel_mean,
            config.pixel_std,
            min(config.size_divisor, 32),
            config.canvas,
            config.box_frame,
            name="normalization",
        )

    def _backbone(self, weights: str | Path | None) -> Backbone:
        config = self.config
        switches: dict = {k: v for k, v in self._of_resnets().items() if v}
        switches |= {"same_pool": True} if config.same_pool else {}
        switches |= {"last": "C4"} if config.pyramid == "c4" else {}
        switches |= {"dilated": True} if config.pyramid == "dc5" else {}
        taps = dict(config.backbone_taps)
        return build_backbone(
            config.backbone, taps=taps, weights=weights, **self._norms(), **switches
        )

    def _of_resnets(self) -> dict[str, bool]:
        config = self.config
        return {"stride_in_1x1": config.stride_in_1x1, "conv_bias": config.conv_bias}

    def _norms(self) -> dict:
        return {"norm": self.config.norm, "norm_epsilon": self.config.norm_epsilon}

    def _neck(self) -> FPN | SingleLevel:
        config = self.config
        if config.pyramid != "fpn":
            return SingleLevel(config.pyramid.upper()[-2:], name="neck")
        return FPN(
            config.fpn_channels, config.fpn_norm, self._epsilon, config.conv_bias, name="fpn"
        )

    @property
    def _epsilon(self) -> float:
        return 1e-5 if self.config.norm_epsilon is None else self.config.norm_epsilon

    def _channels(self) -> int:
        """F of every level of the neck's output."""
        taps = {level: tap.shape for level, tap in self.backbone.output.items()}
        self.neck.build(taps)
        return next(iter(self.neck.compute_output_shape(taps).values()))[-1]

    # ---------------------------------------------------------------- proposals

    def rpn_head(self) -> RPNHead:
        config = self.config
        num_anchors = len(config.anchor_sizes[0]) * len(config.aspect_ratios)
        head = RPNHead(
            num_anchors,
            config.rpn_channels,
            config.rpn_num_convs,
            config.rpn_softmax,
            name="rpn_head",
        )
        head.build({"any level": (None, None, None, self.channels)})
        return head

    def anchors(self) -> AnchorGenerator:
        config = self.config
        return AnchorGenerator(
            config.anchor_sizes,
            config.aspect_ratios,
            self.strides,
            config.round_anchors,
            config.fit_anchor_strides,
            config.box_frame == "normalised",
            name="anchors",
        )

    def proposals(self) -> ProposalLayer:
        config = self.config
        return ProposalLayer(
            (config.pre_nms_train, config.pre_nms_test),
            (config.proposals_train, config.proposals_test),
            config.proposal_nms_iou,
            config.rpn_box_weights,
            config.delta_clamp,
            config.joint_proposals,
            name="proposals",
        )

    def anchor_sampler(self) -> AnchorSampler:
        config = self.config
        return AnchorSampler(
            config.anchors_per_image,
            config.anchor_positive_fraction,
            config.rpn_positive_iou,
            config.rpn_negative_iou,
            config.sampling,
            config.rpn_box_weights,
            name="anchor_sampler",
        )

    def roi_sampler(self) -> RoISampler:
        config = self.config
        return RoISampler(
            self.num_classes,
            config.rois_per_image,
            config.roi_positive_fraction,
            config.roi_positive_iou,
            config.sampling,
            config.truth_as_proposals,
            config.spare_rois,
            name="roi_sampler",
        )

    # ---------------------------------------------------------------- branches

    def box_branch(self) -> BoxBranch | CascadeBranch:
        config = self.config
        pooling, shape = self._pooled(config.box_pool_size, "box_pooling")
        ious, weights = config.cascade_ious, config.cascade_box_weights
        losses = {"beta": config.box_beta, "over": config.box_loss_over}
        if not ious:
            (head,) = self._box_heads(shape, ["box_head"])
            detection = self._detection(config.box_weights)
            return BoxBranch(
                pooling,
                head,
                self.roi_sampler(),
                detection,
                config.box_weights,
                **losses,
                name="box_branch",
            )
        heads = self._box_heads(shape, [f"box_head_{i + 1}" for i in range(len(ious))])
        return CascadeBranch(
            pooling,
            heads,
            ious,
            weights,
            self.roi_sampler(),
            self._detection(weights[-1]),
            **losses,
            clamp=config.delta_clamp,
            name="box_branch",
        )

    def _box_heads(self, shape, names) -> list[BoxHead]:
        config = self.config
        heads = [
            BoxHead(
                self.num_classes,
                config.box_head_channels,
                config.box_head_num_dense,
                config.box_head_num_convs,
                config.box_head_conv_channels,
                config.class_agnostic_boxes,
                config.head_norm,
                config.dense_norm,
                self._epsilon,
                config.conv_bias,
                name=name,
            )
            for name in names
        ]
        for head in heads:
            head.build(shape)
        return heads

    def _detection(self, box_weights) -> DetectionLayer:
        config = self.config
        return DetectionLayer(
            box_weights,
            config.score_threshold,
            config.nms_iou,
            config.detections_per_image,
            config.best_class_only,
            config.delta_clamp,
            name="detection",
        )

    def instance_branches(self) -> list[MaskBranch | KeypointBranch]:
        """What follows the boxes: masks, keypoints, both or nothing."""
        branches: list[MaskBranch | KeypointBranch] = []
        if self.config.with_masks:
            branches.append(self._mask_branch())
        if self.config.keypoint_names:
            branches.append(self._keypoint_branch())
        return branches

    def _mask_branch(self) -> MaskBranch:
        config = self.config
        pooling, shape = self._pooled(config.mask_size // 2, "mask_pooling")
        head = self._mask_head()
        head.build(shape)
        return MaskBranch(
            pooling,
            head,
            self.num_classes,
            config.mask_size,
            config.mask_activation,
            config.mask_targets,
            config.roi_aligned,
            name="mask_branch",
        )

    def _mask_head(self) -> MaskHead | MLPMaskHead:
        config = self.config
        num_masks = 1 if config.class_agnostic_masks else self.num_classes
        num_masks += config.mask_activation == "softmax"
        if config.mask_head == "mlp":
            channels = config.box_head_channels
            return MLPMaskHead(num_masks, channels, config.mask_size, name="mask_head")
        return MaskHead(
            num_masks,
            config.mask_head_channels,
            config.mask_head_num_convs,
            config.head_norm,
            self._epsilon,
            config.conv_bias,
            name="mask_head",
        )

    def _keypoint_branch(self) -> KeypointBranch:
        config = self.config
        num_keypoints = len(config.keypoint_names)
        head = KeypointHead(
            num_keypoints,
            config.keypoint_head_channels,
            config.keypoint_head_num_convs,
            name="keypoint_head",
        )
        pooling, shape = self._pooled(config.keypoint_size // 4, "keypoint_pooling")
        head.build(shape)
        return KeypointBranch(
            pooling,
            head,
            self.num_classes,
            num_keypoints,
            config.keypoint_size,
            name="keypoint_branch",
        )

    def _pooled(self, side: int, name: str) -> tuple[keras.layers.Layer, tuple]:
        """The pooling of a branch, and the shape (R, S, S, F) of what comes out of it."""
        config = self.config
        pooling = RoIPooling(
            side if self.res5 is None else _HEADS_OF_C4,
            self.strides[:4],
            config.sampling_ratio,
            config.roi_aligned,
            pooling=config.roi_pooling,
            reduce=config.roi_reduce,
            level_rule=config.level_rule,
            name=name,
        )
        if self.res5 is None:
            return pooling, (None, side, side, self.channels)
        half = _HEADS_OF_C4 // 2
        return PooledRes5(pooling, self.res5), (None, half, half, self.res5.output.shape[-1])
