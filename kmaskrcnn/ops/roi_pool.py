"""RoIPool and RoIWarp, which round a RoI to whole feature cells: what RoIAlign was made to replace.

RoIPool is Girshick, Fast R-CNN, 2015, section 2.1. RoIWarp is Dai et al., Multi-task Network
Cascades, 2016. Table 2c of He et al., Mask R-CNN, 2017, compares both with RoIAlign.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from kmaskrcnn.ops import roi_checks
from kmaskrcnn.ops.levels import divided, pool_by_level
from kmaskrcnn.ops.roi_align import roi_align

_NO_CELL = tf.int32.max


def roi_pool(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
    *,
    scales: Sequence[float],
    output_size: int | tuple[int, int],
) -> tf.Tensor:
    """The maximum of each of S×S bins of a RoI, RoI and bins rounded to whole feature cells.

    A RoI covers the cells from round(x1 · scale) to round(x2 · scale), both included and halves
    rounded away from zero, so that it is at least one cell; a bin covers every cell that it
    touches. The arithmetic is torchvision's ``roi_pool``. The gradient reaches, in each bin, the
    first of the cells that hold the maximum, row by row; none reaches the boxes.

    Args:
        features: one (B, H_l, W_l, F) tensor a level; float32, float64, bfloat16 or float16, all
            alike.
        boxes: (R, 4) x1 y1 x2 y2 in input pixels. An inverted box is one cell wide or high.
        batch_indices: (R,) int, the image of each box.
        levels: (R,) int, index into `features` of each box; see `assign_levels`.
        scales: feature pixels per input pixel of each level, such as 1 / 4.
        output_size: S, or (height, width).

    Returns:
        (R, S, S, F) of the features' dtype; 0 for bins outside the features, and for boxes with a
        coordinate that is NaN, infinite, or beyond 2**24 feature pixels.

    Raises:
        ValueError: wrong static shapes, dtypes, or numbers of levels.
        tf.errors.InvalidArgumentError: an image or level index that does not exist.
    """
    features, boxes, batch_indices, levels = roi_checks.checked_rois(
        features, scales, boxes, batch_indices, levels
    )
    size = roi_checks.as_pair(output_size)
    indices = roi_checks.checked_indices("roi_pool", features, boxes, batch_indices, levels)

    def pool(
        feature: tf.Tensor, scale: float, boxes: tf.Tensor, batch_indices: tf.Tensor
    ) -> tf.Tensor:
        corners = _round(boxes * scale)
        rows = _bins(corners[:, 1::2], size[0], tf.shape(feature)[1])
        columns = _bins(corners[:, 0::2], size[1], tf.shape(feature)[2])
        fixed, shape = tf.stop_gradient(feature), (*size, feature.shape[-1])
        cells = _maximal_cells(fixed, batch_indices, rows, columns, shape=shape)
        some = _is_any(rows)[:, :, tf.newaxis] & _is_any(columns)[:, tf.newaxis]
        values = _values(feature, batch_indices, cells)
        return tf.where(some[..., tf.newaxis], values, tf.zeros_like(values))

    pooled = pool_by_level(pool, features, scales, boxes, *indices)
    pooled.set_shape([boxes.shape[0], *size, features[0].shape[-1]])
    return pooled


def roi_warp(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
    *,
    scales: Sequence[float],
    output_size: int | tuple[int, int],
    sampling_ratio: int = 2,
    aligned: bool = True,
    reduce: str = "average",
) -> tf.Tensor:
    """RoIAlign of a RoI whose edges are first rounded to whole feature cells.

    Mask R-CNN says of RoIWarp that it resamples bilinearly and yet quantises the RoI, as RoIPool
    does; this is that and nothing else: the edges, times the scale, are rounded, halves away from
    zero, a RoI is made at least one cell, and RoIAlign does the rest. RoIWarp's gradient to the
    boxes is left out.

    Args:
        features: as in `roi_align`, and so all others.
        boxes: (R, 4) x1 y1 x2 y2 in input pixels.
        batch_indices: (R,) int.
        levels: (R,) int.
        scales: feature pixels per input pixel of each level.
        output_size: S, or (height, width).
        sampling_ratio: samples per bin and axis; 0 is adaptive.
        aligned: the half-pixel shift; without it samples lie half a cell further to the lower
            right, as in the code of Dai et al.
        reduce: "average" or "max" of a bin's samples.

    Returns:
        (R, S, S, F) of the features' dtype.

    Raises:
        ValueError: as `roi_align`.
        tf.errors.InvalidArgumentError: as `roi_align`.
    """
    features, boxes, batch_indices, levels = roi_checks.checked_rois(
        features, scales, boxes, batch_indices, levels
    )
    images, levels = roi_checks.checked_indices("roi_warp", features, boxes, batch_indices, levels)
    corners = _round(boxes * tf.gather(tf.constant(scales, boxes.dtype), levels)[:, tf.newaxis])
    upper_left, lower_right = corners[:, :2], corners[:, 2:]
    return roi_align(
        features,
        tf.concat([upper_left, tf.maximum(lower_right, upper_left + 1)], axis=1),
        images,
        levels,
        scales=[1.0] * len(features),
        output_size=output_size,
        sampling_ratio=sampling_ratio,
        aligned=aligned,
        reduce=reduce,
    )


def _round(values: tf.Tensor) -> tf.Tensor:
    """To the nearest whole number, halves away from zero as C's ``round``; tf.round: to even."""
    whole = tf.floor(tf.abs(values))
    return tf.sign(values) * (whole + tf.cast(tf.abs(values) - whole >= 0.5, values.dtype))


def _bins(ends: tf.Tensor, num_bins: int, limit: tf.Tensor) -> tf.Tensor:
    """(n, S, 2) int32 first cell and end of each bin of an axis, of RoIs from and to `ends`."""
    usable = tf.reduce_all(tf.abs(ends) <= roi_checks.LARGEST_COORDINATE, axis=1)  # no for NaN
    start = tf.where(usable, ends[:, 0], 0)
    length = tf.where(usable, tf.maximum(ends[:, 1] - start + 1, 1), 0)
    bin_size = divided(length, num_bins)
    edges = tf.range(num_bins + 1, dtype=ends.dtype) * bin_size[:, tf.newaxis]
    bins = tf.stack([tf.floor(edges[:, :-1]), tf.math.ceil(edges[:, 1:])], axis=-1)
    cells = tf.cast(bins + start[:, tf.newaxis, tf.newaxis], tf.int32)
    return tf.clip_by_value(cells, 0, limit)


def _is_any(bins: tf.Tensor) -> tf.Tensor:
    """(n, S) bool: the bin has a cell."""
    return bins[..., 1] > bins[..., 0]


@tf.function(reduce_retracing=True, autograph=False)  # eagerly, a hundred times slower
def _maximal_cells(
    feature: tf.Tensor,
    batch_indices: tf.Tensor,
    rows: tf.Tensor,
    columns: tf.Tensor,
    *,
    shape: tuple[int | None, ...],
) -> tf.Tensor:
    """(n, S, S, F) int32 cell y · W + x of the first maximum of each bin, row by row.

    A RoI at a time, so that the memory is a few RoIs'; bins without a cell get any cell.
    """
    height, width = tf.unstack(tf.shape(feature)[1:3])
    numbers = tf.reshape(tf.range(height * width), [height, width, 1])

    def find(roi: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        image, rows, columns = roi
        top = tf.minimum(rows[0, 0], height - 1)
        bottom = tf.maximum(rows[-1, 1], top + 1)
        values, cells = _maxima(feature[image, top:bottom], numbers[top:bottom], columns, axis=1)
        return _maxima(values, cells, rows - top, axis=0)[1]

    return tf.map_fn(
        find,
        (batch_indices, rows, columns),
        fn_output_signature=tf.TensorSpec(shape, tf.int32),
        parallel_iterations=4,
    )


def _maxima(
    values: tf.Tensor, cells: tf.Tensor, bins: tf.Tensor, *, axis: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums an axis of `values` and their `cells` up to bins (S, 2): the maxima, and whose they are.

    A bin shorter than the longest repeats its last cell.
    """
    longest = tf.maximum(tf.reduce_max(bins[:, 1] - bins[:, 0]), 1)
    members = tf.minimum(bins[:, :1] + tf.range(longest), bins[:, 1:] - 1)  # (S, longest)
    members = tf.clip_by_value(members, 0, tf.shape(values)[axis] - 1)
    values, cells = (tf.gather(each, members, axis=axis) for each in (values, cells))
    highest = tf.reduce_max(values, axis + 1, keepdims=True)
    first = tf.reduce_min(tf.where(values < highest, _NO_CELL, cells), axis + 1)
    return tf.squeeze(highest, axis + 1), first


def _values(feature: tf.Tensor, batch_indices: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """(n, S, S, F) of (B, H, W, F): what the cells of each channel hold, with a gradient."""
    _, height, width, channels = tf.unstack(tf.shape(feature, tf.int64))
    first = tf.cast(batch_indices, tf.int64) * height * width
    place = (tf.cast(cells, tf.int64) + first[:, None, None, None]) * channels
    return tf.gather(tf.reshape(feature, [-1]), place + tf.range(channels))
