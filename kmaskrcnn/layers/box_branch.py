"""From proposals to detections, and to the losses of boxes and classes."""

from __future__ import annotations

import keras
import tensorflow as tf

from kmaskrcnn import losses
from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.ops import rois as roi_ops
from kmaskrcnn.tensors import SampledRoIs


class BoxBranch(keras.layers.Layer):
    """Fast R-CNN (Girshick 2015): pooling, head, detections or losses.

    Args:
        pooling: (features, boxes, batch_indices) → (R, S, S, F).
        head: pooled → class logits (R, C + 1), deltas (R, C or 1, 4).
        sampler: proposals and truth → `SampledRoIs`. detection: a `DetectionLayer`.
        box_weights: of the deltas. beta, over: see `losses.box_loss`.
    """

    def __init__(self, pooling, head, sampler, detection, box_weights, beta, over, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.pooling, self.heads = pooling, [head]
        self.sampler, self.detection = sampler, detection
        self.box_weights, self.beta, self.over = tuple(box_weights), beta, over
        self.supports_jit = False
        self.built = True

    @property
    def loss_names(self) -> list[str]:
        """What `named_losses` gives."""
        return ["class_loss", "box_loss"]

    def detect(self, features, proposals, windows) -> dict[str, tf.Tensor]:
        """Detections (B, K) in each image; see `DetectionLayer`."""
        logits, deltas = self.heads[0](self.pooling(features, *roi_ops.flatten(proposals.boxes)))
        return self.detection(tf.nn.softmax(logits), deltas, proposals, windows.images)

    def named_losses(self, features, proposals, windows, targets, training):
        """The named losses, and the sampled RoIs for the branches that come after."""
        rois = self.sampler(proposals, targets, training=training)
        logits, deltas = self.heads[0](self.pooling(features, *roi_ops.flatten(rois.boxes)))
        class_loss, box_loss = stage_losses(
            logits, deltas, rois, targets, self.box_weights, self.beta, self.over
        )
        return {"class_loss": class_loss, "box_loss": box_loss}, rois


def stage_losses(logits, deltas, rois: SampledRoIs, targets, box_weights, beta, over="rois"):
    """Class loss and box loss () of one head's outputs on the sampled RoIs (B, S)."""
    truth = tf.gather(targets["boxes"], rois.truth_indices, batch_dims=1)
    wanted = tf.reshape(box_ops.encode(truth, rois.boxes, box_weights), [-1, 4])
    labels = tf.reshape(rois.labels, [-1])
    num_classes = logits.shape[1] - 1
    return (
        losses.class_loss(logits, labels),
        losses.box_loss(deltas, wanted, labels, num_classes, beta, over),
    )
