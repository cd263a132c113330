"""A mask head's small answer stretched over its box, as each reference stretches it.

All three are separable: of each axis there is a matrix that says how much each of the M cells
weighs at each pixel, and the stretched mask is A_y · probabilities · A_xᵀ. A pixel weighs two cells
at most, so that the products go over a few pixels and their cells at a time: that is less work, and
small products stay in one thread, where a BLAS that shares the processor with TensorFlow loses most
of its time to waiting for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

Window = tuple[int, int, int, int]
LARGEST_PRODUCT = 1 << 18  # multiplications that OpenBLAS does in one thread
CELLS = 4  # of an axis that are stretched at a time


class Axis(NamedTuple):
    """The pixels of one axis on a mask's cells."""

    first: int
    last: int  # exclusive
    cells: np.ndarray  # (last - first,) the first of the two cells that a pixel can weigh; rising
    weights: np.ndarray  # (last - first, M) float32 or float64


def paste_masks(
    probabilities: np.ndarray,
    boxes: np.ndarray,
    image_size: Sequence[int],
    *,
    threshold: float = 0.5,
    mode: str = "detectron2",
) -> np.ndarray:
    """Stretch many masks over their boxes and cut them at the threshold, as `ops.masks.paste_mask`.

    Only what lies in the boxes is touched, and beside the answer there is a strip of one soft mask.

    Args:
        probabilities: (K, M, M) in [0, 1], any float dtype.
        boxes: (K, 4) in pixels of the image.
        image_size: height, width of the image.
        threshold: a pixel belongs to the mask from this probability on.
        mode: whose pasting, see `paste_soft_mask`.

    Returns:
        (K, H, W) bool.

    Raises:
        ValueError: another mode.
    """
    height, width = (int(side) for side in image_size)
    masks = np.zeros((len(boxes), height, width), bool)
    space = np.empty(LARGEST_PRODUCT + width, np.float32)
    for mask, cells, box in zip(masks, probabilities, boxes, strict=True):
        for (x1, y1, x2, y2), soft in _soft_strips(cells, box, image_size, mode, space):
            np.greater_equal(soft, np.float32(threshold), out=mask[y1:y2, x1:x2])
    return masks


def paste_soft_mask(
    probabilities: np.ndarray,
    box: np.ndarray,
    image_size: Sequence[int],
    *,
    mode: str = "detectron2",
) -> tuple[Window, np.ndarray]:
    """Stretch a mask over its box, inside the image only.

    - ``"detectron2"``: a pixel takes the value at its centre, interpolated linearly, and zero
      beyond the mask's edge (layers/mask_ops.py, ``grid_sample``).
    - ``"torchvision"``: the mask with a rim of zeros over a box that is larger by the rim, both of
      whose corners are cut to whole pixels and belong to it (roi_heads.py,
      ``paste_masks_in_image``).
    - ``"matterport"``: over the box in whole pixels with zeros around the mask, but nowhere below
      the mask's lowest value (utils.py, ``unmold_mask``, by ``skimage.transform.resize``).

    Args:
        probabilities: (M, M) in [0, 1], any float dtype.
        box: (4,) in pixels of the image.
        image_size: height, width of the image.
        mode: whose pasting.

    Returns:
        window (x1, y1, x2, y2) in whole pixels, half-open, inside the image, and the crop
        (y2 - y1, x2 - x1) float32. A box that is empty, not finite, or outside gives 0 0 0 0.

    Raises:
        ValueError: another mode.
    """
    strips = list(_soft_strips(probabilities, box, image_size, mode))
    if not strips:
        return (0, 0, 0, 0), np.zeros((0, 0), np.float32)
    (x1, y1, x2, _), _ = strips[0]
    return (x1, y1, x2, strips[-1][0][3]), np.concatenate([soft for _, soft in strips])


def _soft_strips(
    probabilities, box, image_size, mode: str, space: np.ndarray | None = None
) -> Iterator[tuple[Window, np.ndarray]]:
    """The window's rows from the top, some at a time, float32; in `space` if it is given."""
    if mode not in _AXES:
        raise ValueError(f"expected a way of pasting among {', '.join(_AXES)}, got {mode!r}")
    box = np.asarray(box, np.float32)
    if not np.all(np.isfinite(box)) or box[2] <= box[0] or box[3] <= box[1]:
        return
    probabilities = np.asarray(probabilities, np.float32)
    size = len(probabilities)
    rows = _AXES[mode](box[1], box[3], int(image_size[0]), size)
    columns = _AXES[mode](box[0], box[2], int(image_size[1]), size)
    if columns.last <= columns.first or rows.last <= rows.first:
        return
    across = _stretch(columns, probabilities.T).T
    lowest = probabilities.min() if mode == "matterport" else None
    for start, end, some in _strips(rows, across.shape[1]):
        soft = _product(rows.weights[start:end, some], across[some], space)
        if lowest is not None:
            soft = np.maximum(soft, lowest).astype(np.float32, copy=False)
        yield (columns.first, rows.first + start, columns.last, rows.first + end), soft


def _stretch(axis: Axis, values: np.ndarray) -> np.ndarray:
    """(M, n) cells → (pixels, n)."""
    parts = [
        axis.weights[i:j, some] @ values[some] for i, j, some in _strips(axis, values.shape[1])
    ]
    return np.concatenate(parts)


def _strips(axis: Axis, count: int) -> Iterator[tuple[int, int, slice]]:
    """From and to which pixel, and the cells that these weigh, so that products stay small."""
    pixels, size = axis.weights.shape
    step = pixels
    if count * size * pixels > LARGEST_PRODUCT:
        in_cells = CELLS * pixels // (axis.cells[-1] - axis.cells[0] + 1)
        step = max(1, min(in_cells, LARGEST_PRODUCT // (count * (CELLS + 2))))
    for start in range(0, pixels, step):
        end = min(start + step, pixels)
        low, high = axis.cells[start], axis.cells[end - 1] + 2
        yield start, end, slice(max(low, 0), max(high, 0))


def _product(left: np.ndarray, right: np.ndarray, space: np.ndarray | None) -> np.ndarray:
    """left · right, in `space` where it is given and of the type."""
    shape = len(left), right.shape[1]
    if space is None or np.result_type(left, right) != space.dtype:
        return left @ right
    return np.matmul(left, right, out=space[: shape[0] * shape[1]].reshape(shape))


def _detectron2_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    first, last = max(int(np.floor(start)), 0), min(int(np.ceil(end)), limit)
    centres = np.arange(first, last, dtype=np.float32) + np.float32(0.5)
    positions = (centres - start) / (end - start) * np.float32(mask_size) - np.float32(0.5)
    return _make_axis(first, last, positions, np.arange(mask_size))


def _torchvision_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    middle, half = (end + start) * np.float32(0.5), (end - start) * np.float32(0.5)
    half *= np.float32((mask_size + 2) / mask_size)
    corner, count = int(middle - half), int(middle + half) - int(middle - half) + 1
    first, last = max(corner, 0), min(corner + count, limit)
    centres = np.arange(first, last, dtype=np.float32) - np.float32(corner) + np.float32(0.5)
    positions = centres * (np.float32(mask_size + 2) / np.float32(count)) - np.float32(0.5)
    return _make_axis(first, last, positions, np.arange(1, mask_size + 1))  # cell 0 is the rim


def _matterport_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    corner, count = int(np.around(start)), int(np.around(end)) - int(np.around(start))
    first, last = max(corner, 0), min(corner + count, limit)
    centres = np.arange(first, last) - float(corner) + 0.5
    return _make_axis(first, last, centres * mask_size / count - 0.5, np.arange(mask_size))


_AXES: dict[str, Callable[[np.float32, np.float32, int, int], Axis]] = {
    "detectron2": _detectron2_axis,
    "torchvision": _torchvision_axis,
    "matterport": _matterport_axis,
}


def _make_axis(first: int, last: int, positions: np.ndarray, cells: np.ndarray) -> Axis:
    """Weights of linear interpolation; a position beyond the outer cells weighs less in all."""
    weights = positions[:, None] - cells.astype(positions.dtype)
    np.abs(weights, out=weights)
    np.subtract(1, weights, out=weights)
    np.maximum(weights, 0, out=weights)
    return Axis(first, last, np.floor(positions).astype(int) - cells[0], weights)
