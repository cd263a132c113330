"""Photographs to the network's size, to the pixel as each reference does it: a model sees best
what its weights were made on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from kmaskrcnn.data.geometry import prepare_image, resized

Size = tuple[int, int]
_ROUNDING = 1e-6  # whole numbers that rounding left just below are whole


class Resized(NamedTuple):
    """An image (h, w, 3) of the network's size, uint8 or float32, and the scale (x, y) to it."""

    image: np.ndarray
    scale: np.ndarray


def resize(image: np.ndarray, min_size: int, max_size: int, method: str = "affine") -> Resized:
    """Resizes a photograph as ours or as one of the references.

    - ``"affine"``: as training does, see ``geometry.warp_image``; uint8.
    - ``"torchvision"``: ``F.interpolate`` without anti-aliasing, not rounded: float32 in 0 … 255
      (models/detection/transform.py normalises first, which commutes); uint8 if the size stays.
    - ``"detectron2"``: Pillow's bilinear, which averages when it shrinks; uint8
      (data/transforms/augmentation_impl.py, ``ResizeShortestEdge``).
    - ``"matterport"``: scikit-image's bilinear without anti-aliasing and with black outside, so
      borders darken when it enlarges; truncated to uint8 (mrcnn/utils.py, ``resize_image``).

    Args:
        image: (H, W, 3) uint8 RGB.
        min_size: what the shorter side becomes, in pixels; ``"matterport"`` never shrinks to it.
        max_size: what the longer side may become at most.
        method: one of the four.

    Raises:
        ValueError: another method.
    """
    size = resized_size(image.shape[:2], min_size, max_size, method)
    if method == "affine":
        pixels = prepare_image(image, min_size, max_size)[0]
    elif method == "detectron2":
        pixels = np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
    elif size == image.shape[:2]:
        pixels = image
    elif method == "torchvision":
        pixels = _interpolate(image, size, np.dtype(np.float32), black_outside=False)
    else:
        exact = _interpolate(image, size, np.dtype(np.float64), black_outside=True)
        # no darker than the darkest pixel, as skimage.transform.resize(clip=True)
        pixels = np.floor(np.maximum(exact, image.min()) + _ROUNDING).astype(np.uint8)
    scale = np.array([size[1] / image.shape[1], size[0] / image.shape[0]], np.float32)
    return Resized(pixels, scale)


def resized_size(size: Size, min_size: int, max_size: int, method: str = "affine") -> Size:
    """The (height, width) to which ``resize`` brings an image of ``size``.

    Raises:
        ValueError: another method than the four of ``resize``.
    """
    if method not in _SIZES:
        raise ValueError(f"expected a resize among {', '.join(_SIZES)}, got {method!r}")
    height, width = _SIZES[method](size, min_size, max_size)
    return max(height, 1), max(width, 1)


def _torchvision_size(size: Size, min_size: int, max_size: int) -> Size:
    scale = min(min_size / min(size), max_size / max(size))  # float64, as outside of TorchScript
    return int(size[0] * scale), int(size[1] * scale)


def _detectron2_size(size: Size, min_size: int, max_size: int) -> Size:
    scale = min_size / min(size)
    sides = [float(min_size) if side == min(size) else side * scale for side in size]
    scale = max_size / max(sides) if max(sides) > max_size else 1.0
    return int(sides[0] * scale + 0.5), int(sides[1] * scale + 0.5)


def _matterport_size(size: Size, min_size: int, max_size: int) -> Size:
    scale = max(1.0, min_size / min(size))
    if round(max(size) * scale) > max_size:
        scale = max_size / max(size)
    return round(size[0] * scale), round(size[1] * scale)


_SIZES: dict[str, Callable[[Size, int, int], Size]] = {
    "affine": resized,
    "torchvision": _torchvision_size,
    "detectron2": _detectron2_size,
    "matterport": _matterport_size,
}


def _interpolate(
    image: np.ndarray, size: tuple[int, int], dtype: np.dtype, black_outside: bool
) -> np.ndarray:
    """Bilinear (h, w, 3) of ``dtype`` at the pixels' centres, an axis after the other."""
    for axis in (0, 1):
        lower, upper, weights = _neighbours(image.shape[axis], size[axis], dtype, black_outside)
        shape = [-1 if axis == i else 1 for i in range(3)]
        low, high = (share.reshape(shape) for share in weights)
        image = np.take(image, lower, axis) * low + np.take(image, upper, axis) * high
    return image


def _neighbours(
    count: int, new_count: int, dtype: np.dtype, black_outside: bool
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Of each new pixel of an axis the two old ones around its centre, (new_count,) each, and their
    weights."""
    half = dtype.type(0.5)
    ratio = dtype.type(count) / dtype.type(new_count)
    centres = (np.arange(new_count, dtype=dtype) + half) * ratio - half
    if not black_outside:
        centres = np.clip(centres, 0, count - 1)
    lower = np.floor(centres)
    share = centres - lower
    weights = (1 - share) * (lower >= 0), share * (lower < count - 1)
    first = lower.astype(np.int64)
    return np.maximum(first, 0), np.minimum(first + 1, count - 1), weights
