"""RoIAlign made of ``tf.image.crop_and_resize``: for machines without the C++ op, and for maxima.

crop_and_resize samples bilinearly on a grid whose first and last points are given, in coordinates
where pixel centres are integers, and gives zero outside. It is RoIAlign with three measures: the
grid's ends are put on the first and last sample (which holds the half-pixel shift), s·S samples are
averaged s×s (or their maximum is taken), and features are padded by a mirrored pixel, so that
samples up to a pixel outside read the border as torchvision's do.
"""

import functools
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops import roi_checks
from kmaskrcnn.ops.crop import crop_and_resize
from kmaskrcnn.ops.levels import divided, pool_by_level

DEFAULT_SAMPLING_RATIO = 2
NOWHERE = -100.0  # feature pixels: what is sampled there is zero


def roi_align(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
    *,
    scales: Sequence[float],
    output_size: tuple[int, int],
    sampling_ratio: int,
    aligned: bool,
    reduce: str,
) -> tf.Tensor:
    """As `kmaskrcnn.ops.roi_align`, whose arguments have been checked.

    Computes in float32 whatever the features are. Adaptive sampling is replaced by 2 samples.
    """
    if sampling_ratio == 0:
        _say_adaptive_once(reduce)
    ratio = sampling_ratio or DEFAULT_SAMPLING_RATIO
    summarise = _average if reduce == "average" else _maximum

    def pool(feature, scale, boxes, images):
        scaled = boxes * scale - (0.5 if aligned else 0.0)
        rows, columns = (
            _axis(scaled[:, axis::2], bins, tf.shape(feature)[2 - axis], sampling_ratio, aligned)
            for axis, bins in ((1, output_size[0]), (0, output_size[1]))
        )
        sampled = _sample(tf.cast(feature, tf.float32), rows, columns, images)
        return summarise(sampled, ratio) if ratio > 1 else sampled

    boxes = tf.cast(boxes, tf.float32)
    indices = roi_checks.checked_indices("roi_align", features, boxes, batch_indices, levels)
    pooled = pool_by_level(pool, features, scales, boxes, *indices)
    pooled.set_shape([boxes.shape[0], *output_size, features[0].shape[-1]])
    return tf.cast(pooled, features[0].dtype)


class _Axis(NamedTuple):
    """Where the K samples of an axis lie, in feature pixels whose centres are integers."""

    positions: tf.Tensor  # (R, K) float32
    inside: tf.Tensor  # (R, K) bool: at most one pixel outside the features, or they count as zero
    size: tf.Tensor  # () int32, the features' rows or columns


def _axis(ends: tf.Tensor, bins: int, size: tf.Tensor, sampling_ratio: int, aligned: bool) -> _Axis:
    """Samples between `ends` (R, 2), by the formula of roi_align_geometry.h."""
    usable = tf.reduce_all(tf.abs(ends) <= roi_checks.LARGEST_COORDINATE, axis=1)  # false for NaN
    length = ends[:, 1] - ends[:, 0]
    if sampling_ratio == 0 and aligned:  # an empty or inverted box has no adaptive samples
        usable &= length > 0
    length = length if aligned else tf.maximum(length, 1.0)
    start = tf.where(usable, ends[:, 0], NOWHERE)[:, tf.newaxis]
    bin_size = tf.where(usable, divided(length, bins), 0.0)[:, tf.newaxis]
    ratio = sampling_ratio or DEFAULT_SAMPLING_RATIO
    bin_index, sample = np.divmod(np.arange(bins * ratio, dtype=np.float32), np.float32(ratio))
    positions = start + bin_index * bin_size + divided((sample + 0.5) * bin_size, ratio)
    inside = (positions >= -1) & (positions <= tf.cast(size, tf.float32))
    return _Axis(positions, inside, size)


def _sample(feature: tf.Tensor, rows: _Axis, columns: _Axis, images: tf.Tensor) -> tf.Tensor:
    """(R_l, K, K, F) bilinear samples of one level's (B, H, W, F) float32.

    crop_and_resize computes the positions anew and rounds them otherwise. That matters only where a
    sample lies one pixel outside, at which RoIAlign jumps to zero: then, which is rare, the
    features are padded once more and our own positions decide.
    """
    rare = _at_limit(rows) | _at_limit(columns)
    padded, grid = tf.cond(
        rare,
        lambda: _padded(feature, rows, columns, padding=2),
        lambda: _padded(feature, rows, columns, padding=1),
    )
    samples = rows.positions.shape[1], columns.positions.shape[1]
    sampled = crop_and_resize(padded, grid, images, samples)

    def inside() -> tf.Tensor:
        of_both = rows.inside[:, :, tf.newaxis] & columns.inside[:, tf.newaxis, :]
        return sampled * tf.cast(of_both, tf.float32)[..., tf.newaxis]

    return tf.cond(rare, inside, lambda: sampled)


def _at_limit(axis: _Axis) -> tf.Tensor:
    last = tf.cast(axis.size, tf.float32)
    distance = tf.minimum(tf.abs(axis.positions + 1), tf.abs(axis.positions - last))
    return tf.reduce_any(distance < 1e-3)


def _padded(
    feature: tf.Tensor, rows: _Axis, columns: _Axis, *, padding: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """The feature with mirrored pixels around it, and where in that the samples begin and end."""
    for _ in range(padding):  # one pixel at a time repeats the border, and suits a map of one row
        feature = tf.pad(feature, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    corners = []
    for sample in (0, -1):
        for axis in (rows, columns):
            position = tf.cast(axis.positions[:, sample], tf.float64) + padding
            corners.append(position / tf.cast(axis.size - 1 + 2 * padding, tf.float64))
    return feature, tf.stop_gradient(tf.cast(tf.stack(corners, axis=1), tf.float32))


def _average(sampled: tf.Tensor, ratio: int) -> tf.Tensor:
    """(n, S · ratio, S · ratio, F) → (n, S, S, F)."""
    return tf.nn.avg_pool2d(sampled, ratio, ratio, "VALID")


def _maximum(sampled: tf.Tensor, ratio: int) -> tf.Tensor:
    """As `_average`. The gradient of max_pool2d aborts the process on no RoIs with oneDNN."""
    count, height, width, channels = tf.unstack(tf.shape(sampled))
    bins = [count, height // ratio, ratio, width // ratio, ratio, channels]
    return tf.reduce_max(tf.reshape(sampled, bins), axis=[2, 4])


@functools.cache
def _say_adaptive_once(reduce: str) -> None:
    average = reduce == "average"
    logging.getLogger(__name__).warning(
        "RoIAlign %s cannot sample adaptively (sampling_ratio 0): it takes %d samples per bin and "
        "axis.%s",
        "without the C++ op" if average else 'with reduce="max"',
        DEFAULT_SAMPLING_RATIO,
        " `kmaskrcnn build-op` compiles the op." if average else "",
    )
