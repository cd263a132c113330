"""Masks of detected objects, and the loss of the positives' masks (He et al. 2017, section 3)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn import losses
from kmaskrcnn.ops import masks as mask_ops
from kmaskrcnn.ops import rois as roi_ops


class MaskBranch(keras.layers.Layer):
    """Pooling and a mask head on the boxes that matter: detections, or positive RoIs.

    Args:
        pooling: (features, boxes, batch_indices) → (R, S, S, F).
        head: pooled, labels → mask logits (R, M, M), or without labels (R, M, M, masks).
        num_classes: C. mask_size: M.
        activation: "sigmoid": classes do not compete; "softmax": they do, with a background.
        target_kind, aligned: see `ops.masks.mask_targets`.
    """

    loss_name = "mask_loss"

    def __init__(
        self, pooling, head, num_classes, mask_size, activation, target_kind, aligned, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self.pooling, self.head = pooling, head
        self.num_classes, self.mask_size = num_classes, mask_size
        self.activation, self.target_kind, self.aligned = activation, target_kind, aligned
        self.supports_jit = False
        self.built = True

    def detect(self, features, found) -> dict[str, tf.Tensor]:
        """{"masks": (B, K, M, M) probabilities of each detection's class, zeros where padded}."""
        slots = tf.where(found["labels"] >= 0)
        logits = self._logits(features, found["boxes"], found["labels"], slots)
        if self.activation == "softmax":
            masks = tf.transpose(tf.nn.softmax(logits), [0, 3, 1, 2])
            masks = tf.gather(masks, tf.gather_nd(found["labels"], slots), batch_dims=1)
        else:
            masks = tf.sigmoid(logits)
        shape = tf.concat([tf.shape(found["labels"]), [self.mask_size, self.mask_size]], 0)
        return {"masks": tf.scatter_nd(slots, masks, tf.cast(shape, tf.int64))}

    def named_losses(self, features, rois, windows, targets) -> dict[str, tf.Tensor]:
        """{"mask_loss"} of the positives, each against its own truth's mask seen through the RoI.

        A truth without a mask teaches nothing.
        """
        positive = (rois.labels >= 0) & (rois.labels < self.num_classes)
        truth = tf.gather(targets["mask_windows"], rois.truth_indices, batch_dims=1)
        slots = tf.where(positive & (truth[..., 2] > truth[..., 0]))
        masks = self._targets(rois, slots, windows, targets)
        logits = self._logits(features, rois.boxes, rois.labels, slots)
        loss = losses.softmax_mask_loss if self.activation == "softmax" else losses.mask_loss
        return {"mask_loss": loss(logits, masks, tf.gather_nd(rois.labels, slots))}

    def _targets(self, rois, slots, windows, targets):
        return mask_ops.mask_targets(
            targets["mask_bytes"],
            targets["mask_windows"],
            targets["mask_offsets"],
            tf.gather_nd(rois.boxes, slots),
            tf.cast(slots[:, 0], tf.int32),
            tf.gather_nd(rois.truth_indices, slots),
            self._full_size(windows),
            mask_size=self.mask_size,
            aligned=self.aligned,
            kind=self.target_kind,
        )

    def _full_size(self, windows):
        """Height, width of the masks that the targets are cut from: the canvas, or each image."""
        crop = self.target_kind == "crop"
        return windows.padded_size if crop else tf.reverse(windows.images[:, 2:], [1])

    def _logits(self, features, boxes, labels, slots):
        """Of boxes (B, R, 4) and labels (B, R) those in slots (n, 2) → own masks (n, M, M).

        Where classes compete all masks, (n, M, M, C + 1).
        """
        padded = roi_ops.pad_rows(slots)  # few shapes, and never an empty convolution
        images = tf.cast(padded[:, 0], tf.int32)
        pooled = self.pooling(features, tf.gather_nd(boxes, padded), images)
        logits = self.head(pooled, self._own(tf.gather_nd(labels, padded)))
        return logits[: tf.shape(slots)[0]]

    def _own(self, labels):
        """Which mask of the head is a label's; None where all of them are needed."""
        if self.activation == "softmax":
            return None
        return tf.clip_by_value(labels, 0, self.head.num_masks - 1)
