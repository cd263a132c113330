"""Which anchors the RPN learns from, and what (Ren et al. 2015, section 3.1.2)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.sampling import Priorities, crowd_overlap
from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import matching
from kmaskrcnn.tensors import AnchorTargets


@keras.saving.register_keras_serializable("kmaskrcnn")
class AnchorSampler(keras.layers.Layer):
    """Labels anchors by IoU with the truth, then samples a balanced few of each image.

    Anchors that lie in a crowd region are never negatives: what stands there is not annotated.

    Args:
        num_samples, positive_fraction: anchors an image, and at most this share positive.
        positive_iou, negative_iou: thresholds; every truth's best anchors are positive too.
        sampling: "random", or "first" in order to compare with a reference.
        box_weights: of the deltas.
    """

    def __init__(
        self,
        num_samples=256,
        positive_fraction=0.5,
        positive_iou=0.7,
        negative_iou=0.3,
        sampling="random",
        box_weights=(1, 1, 1, 1),
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.box_weights = tuple(box_weights)
        self.num_samples, self.positive_fraction = num_samples, positive_fraction
        self.positive_iou, self.negative_iou = positive_iou, negative_iou
        self.priorities = Priorities(sampling)
        self.built = True

    def call(
        self, anchors: tf.Tensor, targets: dict[str, tf.Tensor], training=True
    ) -> AnchorTargets:
        """anchors (A, 4) and a batch of truth → S anchors of each image, and what they learn."""
        shape = tf.stack([tf.shape(targets["labels"])[0], tf.shape(anchors)[0]])
        priorities = self.priorities(shape, training=training)
        sampled = tf.map_fn(
            lambda image: self._one_image(anchors, *image),
            (targets["boxes"], targets["labels"], targets["crowd"], priorities),
            fn_output_signature=(tf.int32, tf.int32, tf.float32),
        )
        return AnchorTargets(*(tf.stop_gradient(field) for field in sampled))

    def _one_image(self, anchors, boxes, labels, crowd, priorities):
        truths, matched = matching.match_boxes(
            boxes,
            anchors,
            (labels >= 0) & ~crowd,
            high=self.positive_iou,
            low=self.negative_iou,
            allow_low_quality=True,
        )
        ignored = (matched == 0) & crowd_overlap(boxes, crowd, anchors)
        indices, kinds = matching.sample(
            tf.where(ignored, -1, matched),
            priorities,
            num_samples=self.num_samples,
            positive_fraction=self.positive_fraction,
        )
        own = tf.gather(boxes, tf.gather(truths, indices))
        deltas = box_ops.encode(own, tf.gather(anchors, indices), self.box_weights)
        return indices, kinds, tf.where(kinds[:, None] == 1, deltas, 0.0)

    def get_config(self):
        return {
            **super().get_config(),
            "num_samples": self.num_samples,
            "positive_fraction": self.positive_fraction,
            "positive_iou": self.positive_iou,
            "negative_iou": self.negative_iou,
            "sampling": self.priorities.sampling,
            "box_weights": self.box_weights,
        }
