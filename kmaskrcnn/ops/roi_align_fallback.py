"""RoIAlign made of ``tf.image.crop_and_resize``, for machines without the C++ op.

crop_and_resize samples bilinearly on a grid whose first and last points are given, in coordinates
where pixel centres are integers, and gives zero outside. It is RoIAlign with three measures: the
grid's ends are put on the first and last sample (which holds the half-pixel shift), s·S samples are
averaged s×s, and features are padded by a mirrored pixel, so that samples up to a pixel outside
read the border as torchvision's do.
"""

import functools
import logging
from collections.abc import Sequence

import tensorflow as tf

LARGEST_COORDINATE = 2.0**24  # as in roi_align_geometry.h
DEFAULT_SAMPLING_RATIO = 2


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
) -> tf.Tensor:
    """As `kmaskrcnn.ops.roi_align`, whose arguments have been checked.

    Computes in float32 whatever the features are. Adaptive sampling is replaced by 2 samples.
    A sample that lies exactly one pixel outside the features, where RoIAlign jumps to zero, may
    fall on either side by float32 rounding; boxes clipped to the image have none.
    """
    if sampling_ratio == 0:
        _say_adaptive_once()
    dtype = features[0].dtype
    boxes = tf.cast(boxes, tf.float32)
    batch_indices, levels = _checked(features, boxes, batch_indices, levels)
    order, pooled = [], []
    for index, (feature, scale) in enumerate(zip(features, scales, strict=True)):
        members = tf.cast(tf.where(tf.equal(levels, index))[:, 0], tf.int32)
        grid, usable = _grids(
            tf.gather(boxes, members), feature, scale, output_size, sampling_ratio, aligned
        )
        images = tf.gather(batch_indices, members)
        order.append(members)
        pooled.append(_pool_level(feature, grid, usable, images, output_size, sampling_ratio))
    result = tf.dynamic_stitch(order, pooled) if len(pooled) > 1 else pooled[0]
    result.set_shape([boxes.shape[0], *output_size, features[0].shape[-1]])
    return tf.cast(result, dtype)


def _axis(
    low: tf.Tensor, high: tf.Tensor, scale: float, aligned: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Start, length (feature pixels) and usability (bool) of one axis, each (R,)."""
    offset = 0.5 if aligned else 0.0
    start, end = low * scale - offset, high * scale - offset
    usable = (tf.abs(start) <= LARGEST_COORDINATE) & (tf.abs(end) <= LARGEST_COORDINATE)  # no NaN
    start = tf.where(usable, start, 0.0)
    length = tf.where(usable, end, 0.0) - start
    return start, length if aligned else tf.maximum(length, 1.0), usable


def _grids(
    boxes: tf.Tensor,
    feature: tf.Tensor,
    scale: float,
    output_size: tuple[int, int],
    sampling_ratio: int,
    aligned: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """crop_and_resize's boxes, (R, 4) y1 x1 y2 x2 of the padded feature, and usability (R,)."""
    sizes = tf.cast(tf.shape(feature)[1:3], tf.float32)
    ratio = sampling_ratio or DEFAULT_SAMPLING_RATIO
    ends, usable = [], []
    for axis, bins in ((1, output_size[0]), (0, output_size[1])):
        start, length, fine = _axis(boxes[:, axis], boxes[:, axis + 2], scale, aligned)
        if sampling_ratio == 0:  # an empty or inverted box has no adaptive samples
            fine &= length > 0
        half_step = 0.5 * length / (ratio * bins)
        last_row = sizes[1 - axis] + 1.0  # index of the padded feature's last row or column
        ends.append(
            ((start + half_step + 1) / last_row, (start + length - half_step + 1) / last_row)
        )
        usable.append(fine)
    (top, bottom), (left, right) = ends
    return tf.stack([top, left, bottom, right], axis=1), usable[0] & usable[1]


def _pool_level(
    feature: tf.Tensor,
    grid: tf.Tensor,
    usable: tf.Tensor,
    images: tf.Tensor,
    output_size: tuple[int, int],
    sampling_ratio: int,
) -> tf.Tensor:
    """(R_l, S, S, F) float32 of the RoIs of one level."""
    ratio = sampling_ratio or DEFAULT_SAMPLING_RATIO
    padded = tf.pad(tf.cast(feature, tf.float32), [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    # A box that may not be used is moved outside, where every sample is zero.
    grid = tf.where(usable[:, tf.newaxis], grid, -1.0)
    samples = [ratio * bins for bins in output_size]
    sampled = tf.image.crop_and_resize(padded, tf.stop_gradient(grid), images, samples)
    return sampled if ratio == 1 else tf.nn.avg_pool2d(sampled, ratio, ratio, "VALID")


def _checked(
    features: Sequence[tf.Tensor], boxes: tf.Tensor, batch_indices: tf.Tensor, levels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The indices, behind checks of their values, as the C++ op makes them."""
    images = tf.shape(features[0])[0]
    count = tf.shape(boxes)[0]
    checks = [
        tf.debugging.assert_equal(tf.shape(batch_indices)[0], count, "roi_align: batch_indices"),
        tf.debugging.assert_equal(
            tf.shape(levels)[0], count, "roi_align: levels (R,) of boxes (R, 4)"
        ),
        tf.debugging.assert_non_negative(batch_indices, "roi_align: image index below 0"),
        tf.debugging.assert_less(batch_indices, images, "roi_align: image index beyond the batch"),
        tf.debugging.assert_non_negative(levels, "roi_align: level below 0"),
        tf.debugging.assert_less(levels, len(features), "roi_align: level beyond the pyramid"),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        return tf.identity(batch_indices), tf.identity(levels)


@functools.lru_cache(maxsize=1)
def _say_adaptive_once() -> None:
    logging.getLogger(__name__).warning(
        "RoIAlign without the C++ op cannot sample adaptively (sampling_ratio 0): it takes %d "
        "samples per bin and axis. `kmaskrcnn build-op` compiles the op.",
        DEFAULT_SAMPLING_RATIO,
    )
