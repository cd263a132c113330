"""Tensors that travel together through the network, padded to a fixed number an image."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class Windows(NamedTuple):
    """What boxes are clipped to: the images inside the padded batch, in the frame of the boxes."""

    proposals: tf.Tensor  # (B, 4) float32 x1 y1 x2 y2; matterport lets proposals into the padding
    images: tf.Tensor  # (B, 4)
    padded_size: tf.Tensor  # (2,) int32 height, width of the batch in pixels


class Proposals(NamedTuple):
    """Candidate boxes of a batch, best first: R an image, padded."""

    boxes: tf.Tensor  # (B, R, 4) float32, network-input pixels; zeros where padded
    scores: tf.Tensor  # (B, R) float32 objectness logits
    valid: tf.Tensor  # (B, R) bool, False where padded


class AnchorTargets(NamedTuple):
    """What the RPN learns from: S anchors an image, positives first, padded."""

    indices: tf.Tensor  # (B, S) int32 among the anchors of all levels; 0 where padded
    labels: tf.Tensor  # (B, S) int32: 1 object, 0 background, -1 where padded
    deltas: tf.Tensor  # (B, S, 4) float32, zeros where the label is not 1


class SampledRoIs(NamedTuple):
    """What the heads learn from: S an image, positives first, padded."""

    boxes: tf.Tensor  # (B, S, 4) float32, network-input pixels
    labels: tf.Tensor  # (B, S) int32: class, C for background, -1 where padded
    truth_indices: tf.Tensor  # (B, S) int32: the matched truth slot
