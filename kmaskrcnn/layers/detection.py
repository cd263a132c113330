"""From the box head's outputs to detections (Girshick 2015, section 2.4)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import nms


@keras.saving.register_keras_serializable("kmaskrcnn")
class DetectionLayer(keras.layers.Layer):
    """Softmax, decoding, clipping, NMS within each class, best of all classes kept.

    Args:
        box_weights: scale of dx dy dw dh.
        score_threshold: kept above it; iou_threshold: NMS suppresses above it.
        max_detections: K.
    """

    def __init__(
        self, box_weights, score_threshold=0.05, iou_threshold=0.5, max_detections=100, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self.box_weights = tuple(box_weights)
        self.score_threshold, self.iou_threshold = score_threshold, iou_threshold
        self.max_detections = max_detections
        self.supports_jit = False
        self.built = True

    def call(self, logits, deltas, proposals, image_sizes) -> dict[str, tf.Tensor]:
        """logits (B·R, C + 1), deltas (B·R, C, 4) → boxes (B, K, 4), scores, labels (-1 pads)."""
        batch, count = tf.unstack(tf.shape(proposals.boxes)[:2])
        classes = deltas.shape[1]
        references = tf.repeat(tf.reshape(proposals.boxes, [-1, 1, 4]), classes, axis=1)
        boxes = box_ops.decode(deltas, references, self.box_weights)
        boxes = box_ops.clip(tf.reshape(boxes, [batch, count * classes, 4]), image_sizes)
        scores = tf.reshape(tf.nn.softmax(logits)[:, :-1], [batch, count, classes])
        boxes, scores, labels, _ = nms.class_nms(
            tf.reshape(boxes, [batch, count, classes, 4]),
            tf.where(proposals.valid[..., None], scores, 0.0),
            score_threshold=self.score_threshold,
            iou_threshold=self.iou_threshold,
            max_outputs=self.max_detections,
        )
        return {"boxes": boxes, "scores": scores, "labels": labels}

    def get_config(self):
        return {
            **super().get_config(),
            "box_weights": self.box_weights,
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "max_detections": self.max_detections,
        }
