"""Keypoints of detected objects, and their loss (He et al. 2017, section 5)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn import losses
from kmaskrcnn.ops import rois as roi_ops
from kmaskrcnn.ops.keypoints import keypoint_targets


class KeypointBranch(keras.layers.Layer):
    """Pooling and a keypoint head on detections, or on positive RoIs.

    Args:
        pooling: (features, boxes, batch_indices) → (R, S, S, F).
        head: pooled → heatmap logits (R, M, M, J).
        num_classes: C. num_keypoints: J. heatmap_size: M.
    """

    loss_name = "keypoint_loss"

    def __init__(self, pooling, head, num_classes, num_keypoints, heatmap_size, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.pooling, self.head, self.num_classes = pooling, head, num_classes
        self.num_keypoints, self.heatmap_size = num_keypoints, heatmap_size
        self.supports_jit = False
        self.built = True

    def detect(self, features, found) -> dict[str, tf.Tensor]:
        """{"heatmaps": (B, K, M, M, J) logits, zeros where padded}."""
        slots = tf.where(found["labels"] >= 0)
        heatmaps = self._logits(features, found["boxes"], slots)
        shape = tf.concat([tf.shape(found["labels"]), tf.shape(heatmaps)[1:]], 0)
        return {"heatmaps": tf.scatter_nd(slots, heatmaps, tf.cast(shape, tf.int64))}

    def named_losses(self, features, rois, windows, targets) -> dict[str, tf.Tensor]:
        """{"keypoint_loss"} of the visible keypoints inside the positives."""
        positive = (rois.labels >= 0) & (rois.labels < self.num_classes)
        slots = tf.where(positive)
        truth = tf.gather(targets["keypoints"], rois.truth_indices, batch_dims=1)
        cells, valid = keypoint_targets(
            tf.gather_nd(truth, slots), tf.gather_nd(rois.boxes, slots), self.heatmap_size
        )
        logits = self._logits(features, rois.boxes, slots)
        return {"keypoint_loss": losses.keypoint_loss(logits, cells, valid)}

    def _logits(self, features, boxes, slots):
        """boxes (B, R, 4), slots (n, 2) of them → (n, M, M, J)."""
        padded = roi_ops.pad_rows(slots)
        images = tf.cast(padded[:, 0], tf.int32)
        pooled = self.pooling(features, tf.gather_nd(boxes, padded), images)
        return self.head(pooled)[: tf.shape(slots)[0]]
