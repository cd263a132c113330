"""RoIAlign over a whole feature pyramid, on the C++ op or on TensorFlow's own ops.

He et al., Mask R-CNN, 2017, section 3; the level of a RoI is Lin et al., FPN, 2017, equation 1.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kmaskrcnn.ops import library, roi_align_fallback

DTYPES = (tf.float32, tf.float64, tf.bfloat16, tf.float16)
LARGEST_SAMPLING_RATIO = 128  # as in roi_align_geometry.h


def roi_align(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
    *,
    scales: Sequence[float],
    output_size: int | tuple[int, int],
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> tf.Tensor:
    """Pools each box from its pyramid level into a grid of S×S bins, by bilinear samples.

    One call serves the whole pyramid. Gradients reach the features, not the boxes; they are
    deterministic, whatever the number of threads. The arithmetic is torchvision's ``roi_align``.

    Zeros come out for a box with a coordinate that is NaN, infinite, or beyond 2**24 feature
    pixels, for an adaptive (`sampling_ratio` 0) box that is empty or inverted, and where a box
    lies outside the features. With a fixed ratio an inverted box is pooled mirrored, an empty one
    at a point, as torchvision does; ``aligned=False`` makes boxes at least a feature pixel wide.

    Args:
        features: one (B, H_l, W_l, F) tensor a level; float32, float64, bfloat16 or float16, all
            alike. 16-bit ones are summed in float32.
        boxes: (R, 4) x1 y1 x2 y2 in input pixels. float32 geometry; float64 for float64 features.
        batch_indices: (R,) int, the image of each box.
        levels: (R,) int, index into `features` of each box; see `assign_levels`.
        scales: feature pixels per input pixel of each level, such as 1 / 4.
        output_size: S, or (height, width).
        sampling_ratio: samples per bin and axis; 0 is adaptive, ceil(bin size in feature pixels).
            The fallback cannot: it takes 2 instead, and says so once.
        aligned: shift by half a pixel, so that pixel centres lie at + 0.5 (Detectron2;
            torchvision's detectors and the first Mask R-CNN do not).

    Returns:
        (R, S, S, F) of the features' dtype. R = 0 gives an empty tensor.

    Raises:
        ValueError: wrong static shapes, dtypes, or numbers of levels.
        tf.errors.InvalidArgumentError: an image or level index that does not exist, or a shape that
            turns out wrong at run time.
    """
    size = (output_size, output_size) if isinstance(output_size, int) else output_size
    features = [tf.convert_to_tensor(feature) for feature in features]
    _check_arguments(features, scales, size, sampling_ratio)
    geometry = tf.float64 if features[0].dtype == tf.float64 else tf.float32
    boxes = tf.stop_gradient(tf.cast(boxes, geometry))
    batch_indices, levels = tf.cast(batch_indices, tf.int32), tf.cast(levels, tf.int32)
    _check_rois(boxes, batch_indices, levels)
    module = library.selected()
    if module is None:
        return roi_align_fallback.roi_align(
            features,
            boxes,
            batch_indices,
            levels,
            scales=scales,
            output_size=size,
            sampling_ratio=sampling_ratio,
            aligned=aligned,
        )
    return module.kmaskrcnn_roi_align(
        features=features,
        boxes=boxes,
        batch_indices=batch_indices,
        levels=levels,
        scales=[float(scale) for scale in scales],
        pooled_height=size[0],
        pooled_width=size[1],
        sampling_ratio=sampling_ratio,
        aligned=aligned,
    )


def assign_levels(
    boxes: tf.Tensor,
    *,
    num_levels: int,
    min_level: int = 2,
    canonical_size: float = 224.0,
    canonical_level: int = 4,
    inner_epsilon: float = 1e-8,
    outer_epsilon: float = 0.0,
) -> tf.Tensor:
    """The pyramid level that each box is pooled from, by its size.

    floor(canonical_level + log2(sqrt(area) / canonical_size + inner_epsilon) + outer_epsilon),
    clipped to the levels there are. Detectron2 has an inner epsilon of 1e-8; torchvision an outer
    one of 1e-6 and no inner.

    Args:
        boxes: (..., 4) x1 y1 x2 y2, input pixels.
        num_levels: how many levels, the first of which is `min_level`.
        min_level: 2 for a pyramid that begins with P2.
        canonical_size: side of a box that belongs to `canonical_level`, input pixels.
        canonical_level: see `canonical_size`.
        inner_epsilon: inside the logarithm.
        outer_epsilon: outside.

    Returns:
        (...) int32 in [0, num_levels): indices into the list of levels. Empty, inverted and NaN
        boxes get 0.
    """
    boxes = tf.cast(boxes, tf.float32)
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    side = tf.sqrt(tf.where(area > 0, area, tf.zeros_like(area)))
    exponent = tf.math.log(side / canonical_size + inner_epsilon) / tf.math.log(2.0)
    level = tf.floor(canonical_level + exponent + outer_epsilon) - min_level
    return tf.cast(tf.clip_by_value(level, 0, num_levels - 1), tf.int32)


def _check_arguments(
    features: list[tf.Tensor], scales: Sequence[float], size: tuple[int, int], sampling_ratio: int
) -> None:
    if not features or len(features) != len(scales):
        raise ValueError(
            f"Expected one scale per level, at least one; got {len(features)} levels and "
            f"{len(scales)} scales."
        )
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"output_size must be positive, S or (height, width); got {size}.")
    if not 0 <= sampling_ratio <= LARGEST_SAMPLING_RATIO:
        raise ValueError(
            f"sampling_ratio must be 0 (adaptive) to {LARGEST_SAMPLING_RATIO}; "
            f"got {sampling_ratio}."
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


def _check_rois(boxes: tf.Tensor, batch_indices: tf.Tensor, levels: tf.Tensor) -> None:
    count = boxes.shape[:1]
    for indices in (batch_indices, levels):
        if not boxes.shape.is_compatible_with([None, 4]) or not indices.shape.is_compatible_with(
            count
        ):
            raise ValueError(
                "Expected boxes (R, 4), batch_indices (R,) and levels (R,); got "
                f"{boxes.shape}, {batch_indices.shape} and {levels.shape}."
            )


ATTRIBUTES = ("scales", "pooled_height", "pooled_width", "sampling_ratio", "aligned")


@tf.RegisterGradient("KmaskrcnnRoiAlign")
def _roi_align_gradient(op: Any, upstream: tf.Tensor) -> list[tf.Tensor | None]:
    *features, boxes, batch_indices, levels = op.inputs
    gradients = library.loaded().kmaskrcnn_roi_align_grad(
        upstream=upstream,
        boxes=boxes,
        batch_indices=batch_indices,
        levels=levels,
        shapes=tf.raw_ops.ShapeN(input=features),
        **{name: op.get_attr(name) for name in ATTRIBUTES},
    )
    return [*gradients, None, None, None]


@tf.RegisterGradient("KmaskrcnnRoiAlignGrad")
def _roi_align_second_gradient(op: Any, *upstreams: tf.Tensor) -> list[tf.Tensor | None]:
    # Pooling is linear in the features, so the gradient's gradient is pooling again.
    _, boxes, batch_indices, levels, *shapes = op.inputs
    pooled = library.loaded().kmaskrcnn_roi_align(
        features=list(upstreams),
        boxes=boxes,
        batch_indices=batch_indices,
        levels=levels,
        **{name: op.get_attr(name) for name in ATTRIBUTES},
    )
    return [pooled, None, None, None, *[None] * len(shapes)]
