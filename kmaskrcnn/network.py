"""The network: every layer, wired once, and the forward pass on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kmaskrcnn import losses
from kmaskrcnn.backbones import STAGES, Backbone, build_backbone, stages_up_to
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.layers import (
    FPN,
    AnchorGenerator,
    AnchorSampler,
    BoxHead,
    DetectionLayer,
    ImageNormalization,
    MaskHead,
    ProposalLayer,
    PyramidRoIAlign,
    RoISampler,
    RPNHead,
)
from kmaskrcnn.layers.fpn import LEVELS
from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import masks as mask_ops
from kmaskrcnn.ops import rois as roi_ops

STRIDES = (4, 8, 16, 32, 64)


class Network(keras.Model):
    """Mask R-CNN (He et al. 2017, arXiv:1703.06870) with a feature pyramid.

    Everything is built here, so that weights can be loaded and `summary()` reads well at once.

    Args:
        config: every switch; see `MaskRCNNConfig`.
        class_names: the C classes, without background, in the order of the labels.
        frozen: stages of the backbone that are not trained: "stem", "C2" … "C5".
        backbone_weights: None (random), "imagenet", or a file of the backbone's arrays.
        dtype: a Keras dtype policy; "mixed_bfloat16" and "mixed_float16" keep geometry, NMS and
            losses in float32.

    Raises:
        ValueError: class names that are empty or not unique, unknown stages.
    """

    def __init__(
        self,
        config: MaskRCNNConfig,
        class_names: Sequence[str],
        *,
        frozen: Sequence[str] = (),
        backbone_weights: str | Path | None = None,
        dtype: Any = None,
        name: str = "mask_rcnn",
    ):
        super().__init__(autocast=False, dtype=dtype, name=name)
        self.config, self.class_names = config, _checked_names(class_names)
        self.supports_jit = False  # NMS and RoIAlign do not compile under XLA
        ambient = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.dtype_policy)
        try:
            self._build_layers(config, len(self.class_names), backbone_weights)
        finally:
            keras.config.set_dtype_policy(ambient)
        self._set_frozen(frozen)

    def _build_layers(self, config: MaskRCNNConfig, num_classes: int, backbone_weights) -> None:
        self.normalization = ImageNormalization(
            config.pixel_mean, config.pixel_std, name="normalization"
        )
        self.backbone = _backbone(config, backbone_weights)
        self.fpn = FPN(config.fpn_channels, name="fpn")
        self.anchors = AnchorGenerator(
            config.anchor_sizes,
            config.aspect_ratios,
            STRIDES,
            config.round_anchors,
            config.fit_anchor_strides,
            name="anchors",
        )
        num_anchors = len(config.anchor_sizes[0]) * len(config.aspect_ratios)
        self.rpn_head = RPNHead(
            num_anchors, config.rpn_channels, config.rpn_num_convs, name="rpn_head"
        )
        self.proposals = ProposalLayer(
            (config.pre_nms_train, config.pre_nms_test),
            (config.proposals_train, config.proposals_test),
            config.proposal_nms_iou,
            name="proposals",
        )
        self.anchor_sampler = AnchorSampler(
            config.anchors_per_image,
            config.anchor_positive_fraction,
            config.rpn_positive_iou,
            config.rpn_negative_iou,
            config.sampling,
            name="anchor_sampler",
        )
        self.roi_sampler = RoISampler(
            num_classes,
            config.rois_per_image,
            config.roi_positive_fraction,
            config.roi_positive_iou,
            config.sampling,
            name="roi_sampler",
        )
        pooling = {"sampling_ratio": config.sampling_ratio, "aligned": config.roi_aligned}
        self.box_pooling = PyramidRoIAlign(config.box_pool_size, **pooling, name="box_pooling")
        self.box_head = BoxHead(
            num_classes, config.box_head_channels, config.box_head_num_dense, name="box_head"
        )
        self.detection = DetectionLayer(
            config.box_weights,
            config.score_threshold,
            config.nms_iou,
            config.detections_per_image,
            name="detection",
        )
        if config.with_masks:
            self.mask_pooling = PyramidRoIAlign(
                config.mask_size // 2, **pooling, name="mask_pooling"
            )
            self.mask_head = MaskHead(
                num_classes, config.mask_head_channels, config.mask_head_num_convs, name="mask_head"
            )
        self._build_weights(config)

    def _build_weights(self, config: MaskRCNNConfig) -> None:
        channels, pool = config.fpn_channels, config.box_pool_size
        self.fpn.build({level: tap.shape for level, tap in self.backbone.output.items()})
        self.rpn_head.build({level: (None, None, None, channels) for level in LEVELS})
        self.box_head.build((None, pool, pool, channels))
        if config.with_masks:
            side = config.mask_size // 2
            self.mask_head.build((None, side, side, channels))
        self.built = True

    # ---------------------------------------------------------------- the forward pass

    def call(self, inputs, targets=None, training=False):
        """The network, once: detections without targets, losses with them.

        Args:
            inputs: {"images": (B, H, W, 3) RGB in 0..255, padded at the bottom and right,
                "image_sizes": (B, 2) height and width of each without its padding}.
            targets: None, or the padded truth that `kmaskrcnn.data.batches` makes.
            training: batch norm (if any learns) and the numbers of proposals of the training.

        Returns:
            {"boxes": (B, K, 4), "scores": (B, K), "labels": (B, K), -1 pads, "masks": (B, K, M, M)
            probabilities} in pixels of the network input, or the named losses, each ().
        """
        images = self.normalization(inputs["images"], inputs["image_sizes"])
        features = self.fpn(self.backbone(images, training=training))
        logits, deltas = self.rpn_head(features)
        anchors = self.anchors(features)
        proposals = self.proposals(
            logits, deltas, anchors, inputs["image_sizes"], training=training
        )
        if targets is None:
            return self._detect(features, proposals, inputs["image_sizes"])
        rpn = tf.concat(logits, 1), tf.concat(deltas, 1), tf.concat(anchors, 0)
        return self._named_losses(features, rpn, proposals, targets, training)

    def _detect(self, features, proposals, image_sizes):
        class_logits, box_deltas = self._box_branch(features, proposals.boxes)
        detections = self.detection(class_logits, box_deltas, proposals, image_sizes)
        if self.config.with_masks:
            slots = tf.where(detections["labels"] >= 0)
            logits = self._mask_branch(features, detections["boxes"], detections["labels"], slots)
            shape = [*tf.unstack(tf.shape(detections["labels"])), *logits.shape[1:]]
            detections["masks"] = tf.scatter_nd(
                slots, tf.sigmoid(logits), tf.cast(tf.stack(shape), tf.int64)
            )
        return detections

    def _named_losses(self, features, rpn, proposals, targets, training):
        rpn_logits, rpn_deltas, anchors = rpn
        rpn_targets = self.anchor_sampler(anchors, targets, training=training)
        rois = self.roi_sampler(proposals, targets, training=training)
        class_logits, box_deltas = self._box_branch(features, rois.boxes)
        truth = tf.gather(targets["boxes"], rois.truth_indices, batch_dims=1)
        box_targets = box_ops.encode(truth, rois.boxes, self.config.box_weights)
        labels = tf.reshape(rois.labels, [-1])
        named = {
            "rpn_class_loss": losses.rpn_class_loss(rpn_logits, rpn_targets.labels),
            "rpn_box_loss": losses.rpn_box_loss(
                rpn_deltas, rpn_targets.deltas, rpn_targets.labels, self.config.rpn_box_beta
            ),
            "class_loss": losses.class_loss(class_logits, labels),
            "box_loss": losses.box_loss(
                box_deltas, tf.reshape(box_targets, [-1, 4]), labels, self.config.box_beta
            ),
        }
        if self.config.with_masks:
            named["mask_loss"] = self._mask_loss(features, rois, targets)
        return named

    def _mask_loss(self, features, rois, targets):
        """On the positives only, each against its own truth's mask seen through the RoI."""
        positive = (rois.labels >= 0) & (rois.labels < len(self.class_names))
        windows = tf.gather(targets["mask_windows"], rois.truth_indices, batch_dims=1)
        slots = tf.where(positive & (windows[..., 2] > windows[..., 0]))
        logits = self._mask_branch(features, rois.boxes, rois.labels, slots)
        masks = mask_ops.mask_targets(
            targets["mask_bytes"],
            targets["mask_windows"],
            targets["mask_offsets"],
            tf.gather_nd(rois.boxes, slots),
            tf.cast(slots[:, 0], tf.int32),
            tf.gather_nd(rois.truth_indices, slots),
            tf.shape(features["P2"])[1:3] * STRIDES[0],
            mask_size=self.config.mask_size,
            aligned=self.config.roi_aligned,
            binarize=self.config.mask_targets == "binary",
        )
        return losses.mask_loss(logits, masks, tf.gather_nd(rois.labels, slots))

    def _box_branch(self, features, boxes):
        """boxes (B, R, 4) → class logits (B·R, C + 1), deltas (B·R, C, 4)."""
        flat, batch_indices = roi_ops.flatten(boxes)
        return self.box_head(self.box_pooling(features, flat, batch_indices))

    def _mask_branch(self, features, boxes, labels, slots):
        """boxes (B, R, 4), labels (B, R), slots (n, 2) of them → mask logits (n, M, M)."""
        padded = roi_ops.pad_rows(slots)  # few shapes, and never an empty convolution
        pooled = self.mask_pooling(
            features, tf.gather_nd(boxes, padded), tf.cast(padded[:, 0], tf.int32)
        )
        return self.mask_head(pooled, tf.gather_nd(labels, padded))[: tf.shape(slots)[0]]

    # ---------------------------------------------------------------- freezing

    def freeze(self, up_to: str) -> None:
        """Stops training the backbone from its stem up to a stage.

        Args:
            up_to: "stem", "C2" (the usual choice when fine-tuning), "C3", "C4", "C5" (heads only).

        A compiled model is to be compiled again, as always in Keras; `fit` does it by itself.
        """
        self._set_frozen(stages_up_to(up_to))

    def unfreeze(self, what: str = "all") -> None:
        """Trains exactly these parts of the backbone, and all heads, as matterport's `layers`.

        Args:
            what: "all", "heads" (the whole backbone frozen), or "3+", "4+", "5+": stage and above.
        """
        choices = {"all": 0, "heads": len(STAGES), "3+": 2, "4+": 3, "5+": 4}
        if what not in choices:
            raise ValueError(f"unfreeze takes one of {', '.join(choices)}, not {what!r}.")
        self._set_frozen(STAGES[: choices[what]])

    def _set_frozen(self, frozen: Sequence[str]) -> None:
        unknown = [stage for stage in frozen if stage not in STAGES]
        if unknown:
            raise ValueError(f"The stages are {', '.join(STAGES)}; there is no {unknown}.")
        self.frozen = tuple(frozen)
        for stage, layers in self.backbone.stages.items():
            for layer in layers:
                layer.trainable = stage not in self.frozen
        self.train_function = None  # traced for the other variables


def _backbone(config: MaskRCNNConfig, weights: str | Path | None) -> Backbone:
    return build_backbone(
        config.backbone,
        norm=config.norm,
        norm_epsilon=config.norm_epsilon,
        stride_in_1x1=config.stride_in_1x1,
        taps=dict(config.backbone_taps),
        weights=weights,
    )


def _checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    names = tuple(class_names) if not isinstance(class_names, str) else ()
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(
            "class_names must be a list of different names, at least one and without the "
            f"background, as ['cat', 'dog']; got {class_names!r}."
        )
    return names
