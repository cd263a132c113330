"""Cascade R-CNN (Cai and Vasconcelos 2018, arXiv:1712.00726): each head starts where one ended."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn.layers.box_branch import stage_losses
from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import matching
from kmaskrcnn.ops import rois as roi_ops
from kmaskrcnn.tensors import SampledRoIs


class CascadeBranch(keras.layers.Layer):
    """Box heads in a row, each trained on what the one before found, at a higher IoU.

    As Detectron2's `cascade_rcnn.py`: boxes are those of the last head, scores the mean over all;
    the pooled features' gradient is divided by the number of heads; RoIs are sampled once.

    Args:
        pooling, sampler, detection, beta, over: as of `BoxBranch`; the detection's box weights are
            those of the last head.
        heads: with one box for all classes.
        ious: at least this IoU makes a RoI positive, for each head.
        box_weights: of the deltas, for each head. clamp: see `ops.boxes.decode`.
    """

    def __init__(
        self, pooling, heads, ious, box_weights, sampler, detection, beta, over, clamp, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self.pooling, self.heads = pooling, list(heads)
        self.ious, self.box_weights = tuple(ious), tuple(map(tuple, box_weights))
        self.sampler, self.detection = sampler, detection
        self.beta, self.over, self.clamp = beta, over, clamp
        self.supports_jit = False
        self.built = True

    @property
    def loss_names(self) -> list[str]:
        """What `named_losses` gives."""
        stages = range(1, len(self.heads) + 1)
        return [f"{name}_{stage}" for stage in stages for name in ("class_loss", "box_loss")]

    def detect(self, features, proposals, windows) -> dict[str, tf.Tensor]:
        """Detections (B, K) in each image; see `DetectionLayer`."""
        probabilities = []
        for number, head in enumerate(self.heads):
            if number:
                proposals = proposals._replace(
                    boxes=self._refined(deltas, proposals.boxes, number - 1, windows)  # noqa: F821
                )
            logits, deltas = head(self.pooling(features, *roi_ops.flatten(proposals.boxes)))
            probabilities.append(tf.nn.softmax(logits))
        mean = tf.add_n(probabilities) / len(probabilities)
        return self.detection(mean, deltas, proposals, windows.images)

    def named_losses(self, features, proposals, windows, targets, training):
        """Two losses a head, and the RoIs sampled for the first."""
        sampled = rois = self.sampler(proposals, targets, training=training)
        named = {}
        for number, head in enumerate(self.heads):
            if number:
                boxes = self._refined(deltas, rois.boxes, number - 1, windows)  # noqa: F821
                rois = _relabelled(
                    rois._replace(boxes=boxes), targets, self.ious[number], head.num_classes
                )
            pooled = self.pooling(features, *roi_ops.flatten(rois.boxes))
            logits, deltas = head(_scale_gradient(pooled, 1.0 / len(self.heads)))
            class_loss, box_loss = stage_losses(
                logits, deltas, rois, targets, self.box_weights[number], self.beta, self.over
            )
            named[f"class_loss_{number + 1}"] = class_loss
            named[f"box_loss_{number + 1}"] = box_loss
        return named, sampled

    def _refined(self, deltas, boxes, number, windows):
        """Where the head of this number moves its boxes (B, R, 4), inside the images."""
        deltas = tf.reshape(deltas, tf.shape(boxes))
        moved = box_ops.decode(deltas, boxes, self.box_weights[number], self.clamp)
        return tf.stop_gradient(box_ops.clip(moved, windows.images))


def _relabelled(rois: SampledRoIs, targets, iou: float, num_classes: int) -> SampledRoIs:
    """The same boxes matched anew; those that have become empty take no part any more."""

    def one_image(boxes, labels, truth, truth_labels, crowd):
        indices, matched = matching.match_boxes(
            truth,
            boxes,
            (truth_labels >= 0) & ~crowd,
            high=iou,
            low=iou,
            allow_low_quality=False,
        )
        found = tf.where(matched == 1, tf.gather(truth_labels, indices), num_classes)
        gone = (labels < 0) | (box_ops.area(boxes) <= 0)
        return tf.where(gone, -1, found), indices

    labels, indices = tf.map_fn(
        lambda image: one_image(*image),
        (rois.boxes, rois.labels, targets["boxes"], targets["labels"], targets["crowd"]),
        fn_output_signature=(tf.int32, tf.int32),
    )
    return SampledRoIs(rois.boxes, tf.stop_gradient(labels), tf.stop_gradient(indices))


@tf.custom_gradient
def _scale_gradient(features, factor):
    return tf.identity(features), lambda upstream: (upstream * factor, None)
