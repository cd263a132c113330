"""A mask head's small answer stretched over its box, as each reference stretches it.

All three are separable: of each axis there is a matrix that says how much each of the M cells
weighs at each pixel, and the stretched mask is A_y · probabilities · A_xᵀ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Window = tuple[int, int, int, int]
Axis = tuple[int, int, np.ndarray]  # first pixel, the one behind the last, (last - first, M)


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
    if mode not in _AXES:
        raise ValueError(f"expected a way of pasting among {', '.join(_AXES)}, got {mode!r}")
    box = np.asarray(box, np.float32)
    if not np.all(np.isfinite(box)) or box[2] <= box[0] or box[3] <= box[1]:
        return (0, 0, 0, 0), np.zeros((0, 0), np.float32)
    probabilities = np.asarray(probabilities, np.float32)
    y1, y2, rows = _AXES[mode](box[1], box[3], int(image_size[0]), probabilities.shape[0])
    x1, x2, columns = _AXES[mode](box[0], box[2], int(image_size[1]), probabilities.shape[1])
    if x2 <= x1 or y2 <= y1:
        return (0, 0, 0, 0), np.zeros((0, 0), np.float32)
    soft = (rows @ probabilities) @ columns.T
    if mode == "matterport":
        soft = np.maximum(soft, probabilities.min())
    return (x1, y1, x2, y2), soft.astype(np.float32)


def _detectron2_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    first, last = max(int(np.floor(start)), 0), min(int(np.ceil(end)), limit)
    centres = np.arange(first, last, dtype=np.float32) + np.float32(0.5)
    positions = (centres - start) / (end - start) * np.float32(mask_size) - np.float32(0.5)
    return first, last, _weights(positions, np.arange(mask_size))


def _torchvision_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    middle, half = (end + start) * np.float32(0.5), (end - start) * np.float32(0.5)
    half *= np.float32((mask_size + 2) / mask_size)
    corner, count = int(middle - half), int(middle + half) - int(middle - half) + 1
    first, last = max(corner, 0), min(corner + count, limit)
    centres = np.arange(first, last, dtype=np.float32) - np.float32(corner) + np.float32(0.5)
    positions = centres * (np.float32(mask_size + 2) / np.float32(count)) - np.float32(0.5)
    return first, last, _weights(positions, np.arange(1, mask_size + 1))  # cell 0 is the rim


def _matterport_axis(start: np.float32, end: np.float32, limit: int, mask_size: int) -> Axis:
    corner, count = int(np.around(start)), int(np.around(end)) - int(np.around(start))
    first, last = max(corner, 0), min(corner + count, limit)
    centres = np.arange(first, last) - float(corner) + 0.5
    return first, last, _weights(centres * mask_size / count - 0.5, np.arange(mask_size))


_AXES: dict[str, Callable[[np.float32, np.float32, int, int], Axis]] = {
    "detectron2": _detectron2_axis,
    "torchvision": _torchvision_axis,
    "matterport": _matterport_axis,
}


def _weights(positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """(pixels, M) of linear interpolation; a position beyond the outer cells weighs less in all."""
    distances = np.abs(positions[:, None] - cells.astype(positions.dtype))
    return np.maximum(positions.dtype.type(1) - distances, 0)
