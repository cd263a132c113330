"""What every pooling of RoIs demands of its features, boxes and indices."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

DTYPES = (tf.float32, tf.float64, tf.bfloat16, tf.float16)
LARGEST_COORDINATE = 2.0**24  # feature pixels, as in roi_align_geometry.h


def as_pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the pooled grid.

    Raises:
        ValueError: not one or two positive numbers.
    """
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(f"output_size must be positive, S or (height, width); got {pair}.")
    return pair


def checked_rois(
    features: Sequence[tf.Tensor],
    scales: Sequence[float],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor, tf.Tensor]:
    """All as tensors of the dtypes that pooling computes with; boxes without gradient.

    Returns:
        features; boxes float32, for float64 features float64; batch_indices and levels int32.

    Raises:
        ValueError: dtypes, numbers of levels or static shapes that do not fit each other.
    """
    features = [tf.convert_to_tensor(feature) for feature in features]
    _check_features(features, scales)
    geometry = tf.float64 if features[0].dtype == tf.float64 else tf.float32
    boxes = tf.stop_gradient(tf.cast(boxes, geometry))
    batch_indices, levels = tf.cast(batch_indices, tf.int32), tf.cast(levels, tf.int32)
    count = boxes.shape[:1]
    for indices in (batch_indices, levels):
        if not boxes.shape.is_compatible_with([None, 4]) or not indices.shape.is_compatible_with(
            count
        ):
            raise ValueError(
                "Expected boxes (R, 4), batch_indices (R,) and levels (R,); got "
                f"{boxes.shape}, {batch_indices.shape} and {levels.shape}."
            )
    return features, boxes, batch_indices, levels


def checked_indices(
    name: str,
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The indices behind checks of their values, as the C++ op makes them; `name` is the caller."""
    images = tf.shape(features[0])[0]
    count = tf.shape(boxes)[0]
    checks = [
        tf.debugging.assert_equal(tf.shape(batch_indices)[0], count, f"{name}: batch_indices"),
        tf.debugging.assert_equal(
            tf.shape(levels)[0], count, f"{name}: levels (R,) of boxes (R, 4)"
        ),
        tf.debugging.assert_non_negative(batch_indices, f"{name}: image index below 0"),
        tf.debugging.assert_less(batch_indices, images, f"{name}: image index beyond the batch"),
        tf.debugging.assert_non_negative(levels, f"{name}: level below 0"),
        tf.debugging.assert_less(levels, len(features), f"{name}: level beyond the pyramid"),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        return tf.identity(batch_indices), tf.identity(levels)


def _check_features(features: Sequence[tf.Tensor], scales: Sequence[float]) -> None:
    """Raises ValueError unless the levels are alike in all but their height and width."""
    if not features or len(features) != len(scales):
        raise ValueError(
            f"Expected one scale per level, at least one; got {len(features)} levels and "
            f"{len(scales)} scales."
        )
    first = features[0]
    for level, feature in enumerate(features):
        if feature.dtype not in DTYPES or feature.dtype != first.dtype:
            names = ", ".join(dtype.name for dtype in DTYPES)
            raise ValueError(
                f"Features must all be one of {names}; level {level} is {feature.dtype.name}, "
                f"level 0 is {first.dtype.name}."
            )
        expected = tf.TensorShape([first.shape[0], None, None, first.shape[-1]])
        if feature.shape.rank is not None and not feature.shape.is_compatible_with(expected):
            raise ValueError(
                f"Features must be (B, H, W, F) with the same B and F on every level; level "
                f"{level} is {feature.shape}, level 0 is {first.shape}."
            )
