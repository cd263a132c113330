"""From the box head's outputs to detections (Girshick 2015, section 2.4)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import nms


@keras.saving.register_keras_serializable("kmaskrcnn")
class DetectionLayer(keras.layers.Layer):
    """Decoding, clipping, NMS within each class, best of all classes kept.

    Args:
        box_weights: scale of dx dy dw dh.
        score_threshold: kept above it; iou_threshold: NMS suppresses above it.
        max_detections: K.
        best_class_only: a RoI counts for the class that it is most likely of, not for every class
            above the threshold (matterport).
        clamp: of the deltas, see `ops.boxes.decode`.
    """

    def __init__(
        self,
        box_weights,
        score_threshold=0.05,
        iou_threshold=0.5,
        max_detections=100,
        best_class_only=False,
        clamp=box_ops.MAX_LOG_SCALE,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.best_class_only, self.clamp = best_class_only, clamp
        self.box_weights = tuple(box_weights)
        self.score_threshold, self.iou_threshold = score_threshold, iou_threshold
        self.max_detections = max_detections
        self.supports_jit = False
        self.built = True

    def call(self, probabilities, deltas, proposals, windows) -> dict[str, tf.Tensor]:
        """From every class of every RoI to the best of the image.

        Args:
            probabilities: (B·R, C + 1), background last.
            deltas: (B·R, C, 4), or (B·R, 1, 4) for all classes.
            proposals: (B, R), what the deltas start from. windows: (B, 4), the images.

        Returns:
            boxes (B, K, 4), scores (B, K), labels (B, K), -1 pads.
        """
        batch, count = tf.unstack(tf.shape(proposals.boxes)[:2])
        boxes = box_ops.decode(
            deltas, tf.reshape(proposals.boxes, [-1, 1, 4]), self.box_weights, self.clamp
        )
        boxes = tf.reshape(boxes, [batch, count, deltas.shape[1], 4])
        scores = self._scores(probabilities)
        scores = tf.reshape(scores, [batch, count, scores.shape[1]])
        boxes, scores, labels, _ = nms.class_nms(
            box_ops.clip(boxes, windows),
            tf.where(proposals.valid[..., None], scores, 0.0),
            score_threshold=self.score_threshold,
            iou_threshold=self.iou_threshold,
            max_outputs=self.max_detections,
        )
        return {"boxes": boxes, "scores": scores, "labels": labels}

    def _scores(self, probabilities):
        """(B·R, C): without the background, and without the lesser classes if they do not count."""
        if self.best_class_only:
            best = tf.argmax(probabilities, axis=-1, output_type=tf.int32)[:, None]
            is_best = tf.range(probabilities.shape[1]) == best
            probabilities = tf.where(is_best, probabilities, 0.0)
        return probabilities[:, :-1]

    def get_config(self):
        return {
            **super().get_config(),
            "box_weights": self.box_weights,
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "max_detections": self.max_detections,
            "best_class_only": self.best_class_only,
            "clamp": self.clamp,
        }
