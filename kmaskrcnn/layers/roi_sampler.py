"""Which proposals the heads learn from, and what (Girshick 2015, section 2.3)."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.sampling import Priorities, crowd_overlap
from kmaskrcnn.ops import matching
from kmaskrcnn.tensors import Proposals, SampledRoIs


@keras.saving.register_keras_serializable("kmaskrcnn")
class RoISampler(keras.layers.Layer):
    """Adds the truth to the proposals, matches, and samples a fixed number of each image.

    Positives come first, then negatives, then padding (label -1).

    Args:
        num_classes: C; the background's label.
        num_samples: S, RoIs an image; positive_fraction: at most this share positive.
        positive_iou: at least this IoU with a truth makes a RoI positive.
        sampling: "random" or "first".
    """

    def __init__(
        self,
        num_classes,
        num_samples=512,
        positive_fraction=0.25,
        positive_iou=0.5,
        sampling="random",
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.num_classes, self.num_samples = num_classes, num_samples
        self.positive_fraction, self.positive_iou = positive_fraction, positive_iou
        self.priorities = Priorities(sampling)
        self.built = True

    def call(
        self, proposals: Proposals, targets: dict[str, tf.Tensor], training=True
    ) -> SampledRoIs:
        """Proposals (B, R) and a batch of truth → SampledRoIs (B, S)."""
        truth = (targets["labels"] >= 0) & ~targets["crowd"]
        boxes = tf.concat([proposals.boxes, targets["boxes"]], 1)
        valid = tf.concat([proposals.valid, truth], 1)
        priorities = self.priorities(tf.shape(valid), training=training)
        rois = tf.map_fn(
            lambda image: self._one_image(*image),
            (boxes, valid, priorities, targets["boxes"], targets["labels"], targets["crowd"]),
            fn_output_signature=(tf.float32, tf.int32, tf.int32),
        )
        return SampledRoIs(*(tf.stop_gradient(field) for field in rois))

    def _one_image(self, rois, valid, priorities, boxes, labels, crowd):
        indices, matched = matching.match_boxes(
            boxes,
            rois,
            (labels >= 0) & ~crowd,
            high=self.positive_iou,
            low=self.positive_iou,
            allow_low_quality=False,
        )
        ignored = ~valid | ((matched == 0) & crowd_overlap(boxes, crowd, rois))
        positive, negative = matching.sample(
            tf.where(ignored, -1, matched),
            priorities,
            num_samples=self.num_samples,
            positive_fraction=self.positive_fraction,
        )
        kind = tf.cast(positive, tf.float32) + tf.cast(positive | negative, tf.float32)
        rank, order = tf.math.top_k(
            kind + kind * priorities / 4, tf.minimum(self.num_samples, tf.shape(rois)[0])
        )
        indices = tf.gather(indices, order)
        classes = tf.where(tf.gather(positive, order), tf.gather(labels, indices), self.num_classes)
        classes = tf.where(rank > 0, classes, -1)
        return self._pad(tf.gather(rois, order), classes, indices)

    def _pad(self, rois, classes, indices):
        """Up to S rows: empty boxes with label -1."""
        missing = self.num_samples - tf.shape(rois)[0]
        return (
            tf.ensure_shape(tf.pad(rois, [[0, missing], [0, 0]]), [self.num_samples, 4]),
            tf.pad(classes, [[0, missing]], constant_values=-1),
            tf.pad(indices, [[0, missing]]),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_samples": self.num_samples,
            "positive_fraction": self.positive_fraction,
            "positive_iou": self.positive_iou,
            "sampling": self.priorities.sampling,
        }
