"""Which truth each anchor or proposal stands for, and which of them are trained on."""

from __future__ import annotations

import tensorflow as tf


def match(
    iou: tf.Tensor,
    valid: tf.Tensor,
    *,
    high: float,
    low: float,
    allow_low_quality: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Give each candidate the truth it overlaps most, and a label (Detectron2's Matcher).

    Args:
        iou: (N, A) float32, overlap of each truth with each candidate.
        valid: (N,) bool, False for padding and crowd regions: they match nothing.
        high: candidates with an IoU of at least this are positive.
        low: candidates with an IoU below this are negative; those between are ignored.
        allow_low_quality: the best candidates of each truth, ties included, are positive whatever
            their IoU (Faster R-CNN §3.1.2, i). A truth that overlaps no candidate makes none
            positive; the references would then make all of IoU 0 positive.

    Returns:
        indices (A,) int32 of the truth, the first among equals, and 0 where nothing overlaps;
        labels (A,) int32: 1 positive, 0 negative, -1 ignored. Without a valid truth all are
        negative with index 0.
    """
    iou = tf.cast(iou, tf.float32)
    best, indices, is_best = _scan(lambda row: iou[row], valid, tf.zeros([tf.shape(iou)[1]]))
    return indices, _labels(best, is_best if allow_low_quality else None, high=high, low=low)


def match_boxes(
    truth: tf.Tensor,
    candidates: tf.Tensor,
    valid: tf.Tensor,
    *,
    high: float,
    low: float,
    allow_low_quality: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`match` on the boxes themselves: the same answer without the (N, A) matrix.

    With 400 truths and 270,000 anchors the matrix takes 432 MB, and making it six times that.

    Args:
        truth: (N, 4) pixels.
        candidates: (A, 4) pixels, anchors or proposals. If they are float64 so is the arithmetic:
            which of almost equal overlaps are ties is a matter of the last bit.
        valid, high, low, allow_low_quality: as for `match`.

    Returns:
        indices (A,) int32 and labels (A,) int32, as `match`.
    """
    candidates = tf.convert_to_tensor(candidates)
    dtype = tf.float64 if candidates.dtype == tf.float64 else tf.float32
    truth = tf.cast(truth, dtype)
    columns = tf.transpose(tf.cast(candidates, dtype))  # (4, A)
    areas = _area(columns)
    best, indices, is_best = _scan(
        lambda row: _row_of_iou(truth[row], columns, areas), valid, tf.zeros_like(areas)
    )
    return indices, _labels(best, is_best if allow_low_quality else None, high=high, low=low)


def _row_of_iou(box, columns, areas):
    """IoU (A,) of one box (4,) with candidates given as columns (4, A) and areas (A,)."""
    width = tf.minimum(box[2], columns[2]) - tf.maximum(box[0], columns[0])
    height = tf.minimum(box[3], columns[3]) - tf.maximum(box[1], columns[1])
    intersection = tf.nn.relu(width) * tf.nn.relu(height)
    return tf.math.divide_no_nan(intersection, _area(box) + areas - intersection)


def _area(columns):
    """Of boxes as four columns (4, …); of their dtype, unlike `ops.boxes.area`."""
    return tf.nn.relu(columns[2] - columns[0]) * tf.nn.relu(columns[3] - columns[1])


def _scan(overlap_of, valid, nothing):
    """Walk over the valid truths: best IoU, whose it is, and whether it is best of some truth.

    One row at a time, so that nothing larger than (A,) is made. nothing: (A,) zeros of the dtype.
    """
    rows = tf.cast(tf.where(valid)[:, 0], tf.int32)

    def step(position, best, indices, is_best):
        row = rows[position]
        overlap = overlap_of(row)
        row_best = tf.reduce_max(overlap)
        indices = tf.where(overlap > best, row, indices)
        is_best |= (overlap == row_best) & (row_best > 0.0)
        return position + 1, tf.maximum(best, overlap), indices, is_best

    start = (
        tf.constant(0),
        nothing,
        tf.zeros_like(nothing, tf.int32),
        tf.zeros_like(nothing, tf.bool),
    )
    _, best, indices, is_best = tf.while_loop(
        lambda position, *_: position < tf.size(rows), step, start, parallel_iterations=1
    )
    return best, indices, is_best


def _labels(best, is_best, *, high, low):
    """Labels (A,) int32 of the best overlaps (A,) and the low-quality matches (A,) bool or None."""
    labels = tf.where(best >= high, 1, tf.where(best < low, 0, -1))
    return labels if is_best is None else tf.where(is_best, 1, labels)


def sample(
    labels: tf.Tensor,
    priorities: tf.Tensor,
    *,
    num_samples: int,
    positive_fraction: float,
    spare: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Choose the candidates that are trained on: at most a fraction positive, negatives fill up.

    Args:
        labels: (A,) int32: 1 positive, 0 negative, anything else is never chosen.
        priorities: (A,) float32, finite; the highest win, the first among equals. Random numbers
            give the usual sampler, ``-range(A)`` takes the first in order.
        num_samples: candidates wanted in all.
        positive_fraction: at most ``int(num_samples · positive_fraction)`` are positive.
        spare: few positives have few negatives beside them, so that the fraction holds
            (matterport), instead of as many as fit in.

    Returns:
        indices (num_samples,) int32 and labels (num_samples,) int32: the positives by priority,
        label 1, then the negatives, 0, then padding, index 0 and label -1. There is padding where
        there are too few negatives; missing negatives are not replaced by positives.
    """
    labels = tf.convert_to_tensor(labels)
    positives = _highest(labels == 1, priorities, int(num_samples * positive_fraction))
    num_positives = tf.size(positives)
    total = num_samples
    if spare:
        total = tf.cast(tf.cast(num_positives, tf.float32) * (1.0 / positive_fraction), tf.int32)
    negatives = _highest(labels == 0, priorities, total - num_positives)
    padding = [[0, num_samples - num_positives - tf.size(negatives)]]
    kinds = tf.concat([tf.ones_like(positives), tf.zeros_like(negatives)], 0)
    return (
        tf.ensure_shape(tf.pad(tf.concat([positives, negatives], 0), padding), [num_samples]),
        tf.ensure_shape(tf.pad(kinds, padding, constant_values=-1), [num_samples]),
    )


def _highest(eligible, priorities, max_count):
    """(n,) int32: at most `max_count` of the eligible, the highest priorities first."""
    members = tf.cast(tf.where(eligible)[:, 0], tf.int32)
    among = tf.gather(tf.cast(priorities, tf.float32), members)
    _, order = tf.math.top_k(among, k=tf.minimum(max_count, tf.size(members)))
    return tf.gather(members, order)
