"""The losses of Mask R-CNN as pure functions (He et al. 2017, sections 3 and 5).

Each takes float32 tensors and gives a scalar; nothing to learn from gives 0, never NaN. Labels of
-1 are left out everywhere.
"""

from __future__ import annotations

import tensorflow as tf


def rpn_class_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy, mean over the sampled anchors.

    Args:
        logits: (B, A) objectness. labels: (B, A) int, 1 object, 0 background, -1 not sampled.
    """
    sampled = tf.cast(labels >= 0, tf.float32)
    truth = tf.cast(labels == 1, tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(truth, logits)
    return _mean(losses * sampled, tf.reduce_sum(sampled))


def rpn_box_loss(
    deltas: tf.Tensor,
    target_deltas: tf.Tensor,
    labels: tf.Tensor,
    beta: float = 0.0,
    over: str = "rois",
) -> tf.Tensor:
    """Smooth L1 of the positives' deltas, over the number of *sampled* anchors.

    Args:
        deltas, target_deltas: (B, A, 4). labels: (B, A) int. beta: see `smooth_l1`.
        over: "positives": over the number of their coordinates instead (matterport).
    """
    positive = tf.cast(labels == 1, tf.float32)[..., None]
    losses = smooth_l1((deltas - target_deltas) * positive, beta)
    return _mean(losses, _count(labels == 1, labels >= 0, over))


def class_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Cross-entropy over the classes and background, mean over the RoIs.

    Args:
        logits: (R, C + 1). labels: (R,) int, C is background, -1 padding.
    """
    weights = tf.cast(labels >= 0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    return _mean(losses * weights, tf.reduce_sum(weights))


def box_loss(
    deltas: tf.Tensor,
    target_deltas: tf.Tensor,
    labels: tf.Tensor,
    num_classes: int,
    beta: float = 0.0,
    over: str = "rois",
) -> tf.Tensor:
    """Smooth L1 of each positive's deltas of its own class, over the number of *all* RoIs.

    Args:
        deltas: (R, C, 4), or (R, 1, 4) for all classes. target_deltas: (R, 4).
        labels: (R,) int, C background, -1 padding. num_classes: C.
        beta: see `smooth_l1`. over: "rois", or "positives" as for `rpn_box_loss`.
    """
    positive = (labels >= 0) & (labels < num_classes)
    own_class = positive if deltas.shape[1] > 1 else tf.zeros_like(positive)
    own = tf.gather(deltas, tf.where(own_class, labels, 0), batch_dims=1)
    difference = tf.where(positive[:, None], own - target_deltas, 0.0)
    return _mean(smooth_l1(difference, beta), _count(positive, labels >= 0, over))


def mask_loss(logits: tf.Tensor, target_masks: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of the own class' mask, mean over the positives' pixels.

    Args:
        logits, target_masks: (R, M, M). labels: (R,) int, -1 padding.
    """
    weights = tf.cast(labels >= 0, tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(target_masks, logits)
    return _mean(tf.reduce_mean(losses, [1, 2]) * weights, tf.reduce_sum(weights))


def keypoint_loss(logits: tf.Tensor, cells: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """Cross-entropy over the cells of each keypoint's heatmap, mean over the valid keypoints.

    Args:
        logits: (R, S, S, J). cells: (R, J) int, row · S + column. valid: (R, J) bool.
    """
    num_cells = logits.shape[1] * logits.shape[2]
    flat = tf.reshape(tf.transpose(logits, [0, 3, 1, 2]), [-1, num_cells])
    weights = tf.reshape(tf.cast(valid, tf.float32), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.reshape(cells, [-1]), flat)
    return _mean(losses * weights, tf.reduce_sum(weights))


def softmax_mask_loss(logits: tf.Tensor, target_masks: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of each pixel's class, mean over the positives' pixels (table 2b).

    Args:
        logits: (R, M, M, C + 1), background last. target_masks: (R, M, M), above 0.5 is the object.
        labels: (R,) int, -1 padding.
    """
    weights = tf.cast(labels >= 0, tf.float32)
    background = logits.shape[-1] - 1
    classes = tf.where(target_masks > 0.5, tf.maximum(labels, 0)[:, None, None], background)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    return _mean(tf.reduce_mean(losses, [1, 2]) * weights, tf.reduce_sum(weights))


def smooth_l1(difference: tf.Tensor, beta: float) -> tf.Tensor:
    """|d| - β/2 where |d| ≥ β, d²/(2β) below; plain L1 at β = 0 (Girshick 2015, equation 3)."""
    size = tf.abs(difference)
    if beta == 0:
        return size
    return tf.where(size < beta, tf.square(size) / (2 * beta), size - beta / 2)


def _count(positive: tf.Tensor, sampled: tf.Tensor, over: str) -> tf.Tensor:
    """What a sum over boxes is divided by: the samples, or the positives' four coordinates."""
    if over == "positives":
        return 4.0 * tf.reduce_sum(tf.cast(positive, tf.float32))
    return tf.reduce_sum(tf.cast(sampled, tf.float32))


def _mean(losses: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(losses) / tf.maximum(count, 1.0)
