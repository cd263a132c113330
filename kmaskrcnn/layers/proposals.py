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
        box_weights, clamp: of the deltas, see `ops.boxes.decode`.
        joint: all levels compete for one `pre_nms` and in one NMS, and a box that is empty after
            clipping is as good as any (matterport).
    """

    def __init__(
        self,
        pre_nms,
        post_nms,
        iou_threshold=0.7,
        box_weights=(1, 1, 1, 1),
        clamp=None,
        joint=False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.box_weights, self.clamp, self.joint = tuple(box_weights), clamp, joint
        self.pre_nms, self.post_nms = tuple(pre_nms), tuple(post_nms)
        self.iou_threshold = iou_threshold
        self.supports_jit = False
        self.built = True

    def call(self, logits, deltas, anchors, windows, training=False) -> Proposals:
        """Lists a level of (B, A), (B, A, 4), (A, 4) and windows (B, 4) → Proposals (B, R)."""
        if self.joint:
            logits, deltas = [tf.concat(logits, 1)], [tf.concat(deltas, 1)]
            anchors = [tf.concat(anchors, 0)]
        count = self.pre_nms[0 if training else 1]
        levels = [_best(*level, count) for level in zip(logits, deltas, anchors, strict=True)]
        groups = [tf.fill(tf.shape(scores), i) for i, (scores, _, _) in enumerate(levels)]
        scores, deltas, anchors = (tf.concat(column, 1) for column in zip(*levels, strict=True))
        boxes = box_ops.decode(deltas, anchors, self.box_weights, self.clamp)
        boxes = box_ops.clip(boxes, windows)
        usable = self.joint | (box_ops.area(boxes) > 0)
        boxes, scores, num_valid = nms.grouped_nms(
            boxes,
            tf.where(usable, scores, -math.inf),
            tf.concat(groups, 1),
            num_groups=len(levels),
            max_outputs=self.post_nms[0 if training else 1],
            iou_threshold=self.iou_threshold,
        )
        valid = tf.range(tf.shape(boxes)[1])[None] < num_valid[:, None]
        return Proposals(tf.stop_gradient(boxes), tf.stop_gradient(scores), valid)

    def get_config(self):
        config = {"pre_nms": self.pre_nms, "post_nms": self.post_nms, "joint": self.joint}
        config |= {"iou_threshold": self.iou_threshold, "box_weights": self.box_weights}
        return {**super().get_config(), **config, "clamp": self.clamp}


def _best(logits, deltas, anchors, count):
    """Top `count` anchors of one level: logits (B, n), deltas and anchors (B, n, 4)."""
    scores, indices = tf.math.top_k(logits, tf.minimum(count, tf.shape(logits)[1]))
    return scores, tf.gather(deltas, indices, batch_dims=1), tf.gather(anchors, indices)
