"""RoIAlign over a whole feature pyramid, on the C++ op or on TensorFlow's own ops.

He et al., Mask R-CNN, 2017, section 3.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kmaskrcnn.ops import library, roi_align_fallback, roi_checks

REDUCTIONS = ("average", "max")
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
    reduce: str = "average",
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
        reduce: "average" of a bin's samples, or their "max" (table 2c of the paper), in which a
            sample outside the features counts as 0. The op averages: a maximum always runs on the
            fallback, in float32.

    Returns:
        (R, S, S, F) of the features' dtype. R = 0 gives an empty tensor.

    Raises:
        ValueError: wrong static shapes, dtypes, or numbers of levels; an unknown `reduce`.
        tf.errors.InvalidArgumentError: an image or level index that does not exist, or a shape that
            turns out wrong at run time.
    """
    features, boxes, batch_indices, levels = roi_checks.checked_rois(
        features, scales, boxes, batch_indices, levels
    )
    size = roi_checks.as_pair(output_size)
    _check_sampling(sampling_ratio, reduce)
    module = library.selected() if reduce == "average" else None
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
            reduce=reduce,
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


def _check_sampling(sampling_ratio: int, reduce: str) -> None:
    if not 0 <= sampling_ratio <= LARGEST_SAMPLING_RATIO:
        raise ValueError(
            f"sampling_ratio must be 0 (adaptive) to {LARGEST_SAMPLING_RATIO}; "
            f"got {sampling_ratio}."
        )
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce must be one of {', '.join(REDUCTIONS)}, not {reduce!r}.")


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
