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

    Positives come first, then negatives, then padding: empty boxes, label -1.

    Args:
        num_classes: C; the background's label.
        num_samples: S, RoIs an image; positive_fraction: at most this share positive.
        positive_iou: at least this IoU with a truth makes a RoI positive.
        sampling: "random" or "first".
        add_truth: whether the truth is added.
        spare: as matterport: only as many negatives as keep `positive_fraction`, and padding that
            counts as background.
    """

    def __init__(
        self,
        num_classes,
        num_samples=512,
        positive_fraction=0.25,
        positive_iou=0.5,
        sampling="random",
        add_truth=True,
        spare=False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.add_truth, self.spare = add_truth, spare
        self.num_classes, self.num_samples = num_classes, num_samples
        self.positive_fraction, self.positive_iou = positive_fraction, positive_iou
        self.priorities = Priorities(sampling)
        self.built = True

    def call(
        self, proposals: Proposals, targets: dict[str, tf.Tensor], training=True
    ) -> SampledRoIs:
        """Proposals (B, R) and a batch of truth → SampledRoIs (B, S)."""
        boxes, valid = proposals.boxes, proposals.valid
        if self.add_truth:
            truth = (targets["labels"] >= 0) & ~targets["crowd"]
            boxes = tf.concat([boxes, targets["boxes"]], 1)
            valid = tf.concat([valid, truth], 1)
        priorities = self.priorities(tf.shape(valid), training=training)
        rois = tf.map_fn(
            lambda image: self._one_image(*image),
            (boxes, valid, priorities, targets["boxes"], targets["labels"], targets["crowd"]),
            fn_output_signature=(tf.float32, tf.int32, tf.int32),
        )
        return SampledRoIs(*(tf.stop_gradient(field) for field in rois))

    def _one_image(self, rois, valid, priorities, boxes, labels, crowd):
        truths, matched = matching.match_boxes(
            boxes,
            rois,
            (labels >= 0) & ~crowd,
            high=self.positive_iou,
            low=self.positive_iou,
            allow_low_quality=False,
        )
        ignored = ~valid | ((matched == 0) & crowd_overlap(boxes, crowd, rois))
        indices, kinds = matching.sample(
            tf.where(ignored, -1, matched),
            priorities,
            num_samples=self.num_samples,
            positive_fraction=self.positive_fraction,
            spare=self.spare,
        )
        truths = tf.gather(truths, indices)
        padding_label = self.num_classes if self.spare else -1
        others = tf.where(kinds == 0, self.num_classes, padding_label)
        rois = tf.where(kinds[:, None] >= 0, tf.gather(rois, indices), 0.0)
        return rois, tf.where(kinds == 1, tf.gather(labels, truths), others), truths

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "num_samples": self.num_samples,
            "positive_fraction": self.positive_fraction,
            "positive_iou": self.positive_iou,
            "sampling": self.priorities.sampling,
            "add_truth": self.add_truth,
            "spare": self.spare,
        }
