"""Non-maximum suppression of whole batches, on TensorFlow's own multi-threaded kernel.

``tf.image.combined_non_max_suppression`` takes its classes apart, one thread each. A box is left
out where its IoU with a better one is *greater* than the threshold, as in torchvision and
Detectron2. IoU does not care which axis comes first, so our x y order goes in as it is. Boxes and
scores are float32 whatever the caller's precision. XLA cannot compile the kernel: a layer that uses
this module sets ``supports_jit = False``.
"""

from __future__ import annotations

import tensorflow as tf


def grouped_nms(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    groups: tf.Tensor,
    *,
    num_groups: int,
    max_outputs: int,
    iou_threshold: float,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Suppress inside each group, then keep the best of all groups (the RPN's, a group a level).

    Args:
        boxes: (B, N, 4) pixels.
        scores: (B, N) any reals, logits too; -inf marks padding.
        groups: (B, N) int32 in [0, num_groups); boxes of different groups never meet.
        num_groups: how many groups there are.
        max_outputs: most boxes of an image that are kept.
        iou_threshold: in [0, 1].

    Returns:
        boxes (B, max_outputs, 4) and scores (B, max_outputs) float32 by falling score, the first
        among equals; both 0 beyond num_valid (B,) int32. A box or score that is NaN, or a box that
        is infinite, is padding. Without gradient.
    """
    boxes, scores = tf.cast(boxes, tf.float32), tf.cast(scores, tf.float32)
    scores = tf.where(tf.math.is_nan(scores), -float("inf"), scores)
    scores, order = tf.math.top_k(scores, k=tf.shape(scores)[1])
    boxes = tf.gather(boxes, order, batch_dims=1)
    groups = tf.gather(tf.cast(groups, tf.int32), order, batch_dims=1)

    # The kernel takes a score of -1 for an empty slot and loses the order of equal scores, so it
    # is given ranks: N for the best, down to 1.
    num_boxes = tf.shape(scores)[1]
    ranks = tf.cast(tf.range(num_boxes, 0, -1), tf.float32)
    ranks = tf.where(scores > -float("inf"), ranks, 0.0)
    in_group = groups[..., None] == tf.range(num_groups)  # (B, N, groups)
    kept, kept_ranks, _, num_valid = _combined(
        boxes[:, :, None, :],
        tf.where(in_group, ranks[..., None], 0.0),
        0.0,
        iou_threshold,
        max_outputs,
    )
    is_valid = tf.range(max_outputs) < num_valid[:, None]
    positions = tf.where(is_valid, num_boxes - tf.cast(kept_ranks, tf.int32), num_boxes)
    padded_scores = tf.pad(scores, [[0, 0], [0, 1]])  # the last place is what padding reads: 0
    return kept, tf.gather(padded_scores, positions, batch_dims=1), num_valid


def class_nms(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    *,
    score_threshold: float,
    iou_threshold: float,
    max_outputs: int,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Suppress inside each class, then keep the best of all classes (the box head's detections).

    Args:
        boxes: (B, R, C, 4) pixels, a box a class, or (B, R, 1, 4), one for all.
        scores: (B, R, C) probabilities, without background; -inf marks padding, and nothing else
            may be below 0.
        score_threshold: only scores *greater* than this are kept; below 0, all of them.
        iou_threshold: in [0, 1].
        max_outputs: K, most detections of an image.

    Returns:
        boxes (B, K, 4), scores (B, K) float32 by falling score and 0 beyond num_valid,
        labels (B, K) int32, -1 beyond num_valid, and num_valid (B,) int32. Among equal scores the
        order is the kernel's. A box or score that is NaN, or a box that is infinite, is padding.
        Without gradient.
    """
    kept, kept_scores, classes, num_valid = _combined(
        tf.cast(boxes, tf.float32),
        tf.cast(scores, tf.float32),
        score_threshold,
        iou_threshold,
        max_outputs,
    )
    is_padding = tf.range(max_outputs) >= num_valid[:, None]
    return kept, kept_scores, tf.where(is_padding, -1, tf.cast(classes, tf.int32)), num_valid


def _combined(boxes, scores, score_threshold, iou_threshold, max_outputs):
    """The kernel, after boxes that are not finite have become padding; a NaN score passes none."""
    usable = tf.reduce_all(tf.math.is_finite(boxes), axis=-1)  # (B, R, C or 1)
    scores = tf.where(usable, scores, -float("inf"))
    result = tf.image.combined_non_max_suppression(
        boxes,
        scores,
        max_output_size_per_class=max_outputs,
        max_total_size=max_outputs,
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
        clip_boxes=False,
    )
    return tuple(tf.stop_gradient(part) for part in result)
