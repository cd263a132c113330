"""From the RPN's outputs to proposals (Ren et al. 2015, section 3.3; Lin et al. 2017, 4.1)."""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import nms
from kmaskrcnn.tensors import Proposals


@keras.saving.register_keras_serializable("kmaskrcnn")
class ProposalLayer(keras.layers.Layer):
    """The best anchors of each level, decoded, clipped, NMS within each level, best of all kept.

    Args:
        pre_nms: anchors kept a level before NMS, (training, inference).
        post_nms: proposals kept an image, (training, inference).
        iou_threshold: NMS suppresses above it.
    """

    def __init__(self, pre_nms, post_nms, iou_threshold: float = 0.7, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.pre_nms, self.post_nms = tuple(pre_nms), tuple(post_nms)
        self.iou_threshold = iou_threshold
        self.supports_jit = False
        self.built = True

    def call(self, logits, deltas, anchors, image_sizes, training=False) -> Proposals:
        """Lists a level of (B, A), (B, A, 4), (A, 4) and image_sizes (B, 2) → Proposals (B, R)."""
        count = self.pre_nms[0 if training else 1]
        levels = [
            self._best_of_level(*level, image_sizes, count)
            for level in zip(logits, deltas, anchors, strict=True)
        ]
        groups = [tf.fill(tf.shape(scores), i) for i, (_, scores) in enumerate(levels)]
        boxes, scores, num_valid = nms.grouped_nms(
            tf.concat([boxes for boxes, _ in levels], 1),
            tf.concat([scores for _, scores in levels], 1),
            tf.concat(groups, 1),
            num_groups=len(levels),
            max_outputs=self.post_nms[0 if training else 1],
            iou_threshold=self.iou_threshold,
        )
        valid = tf.range(tf.shape(boxes)[1])[None] < num_valid[:, None]
        return Proposals(tf.stop_gradient(boxes), tf.stop_gradient(scores), valid)

    def _best_of_level(self, logits, deltas, anchors, image_sizes, count):
        """Top `count` anchors of one level: boxes (B, n, 4) and logits (B, n), -inf if empty."""
        scores, indices = tf.math.top_k(logits, tf.minimum(count, tf.shape(logits)[1]))
        deltas = tf.gather(deltas, indices, batch_dims=1)
        boxes = box_ops.decode(deltas, tf.gather(anchors, indices))
        boxes = box_ops.clip(boxes, image_sizes)
        return boxes, tf.where(box_ops.area(boxes) > 0, scores, -math.inf)

    def get_config(self):
        config = {"pre_nms": self.pre_nms, "post_nms": self.post_nms}
        return {**super().get_config(), **config, "iou_threshold": self.iou_threshold}
