"""Masks through the sample's one matrix: polygons exactly, bitmaps inside their window only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import View, invert, warp_box, warp_points
from kmaskrcnn.data.rle import EMPTY, Window, array_window, decode_window, rasterise


def warp_instance(
    instance: Instance, view: View, image_size: tuple[int, int]
) -> tuple[np.ndarray, Window, np.ndarray]:
    """An object as the view shows it.

    Args:
        instance: in pixels of the original image.
        view: the sample's matrix and the size it leads to.
        image_size: (height, width) of the original image.

    Returns:
        The box (4,) float64 in the view, tight around the mask where there is one; the mask's
        window; the crop (h, w).
        A box without an area: nothing of the object is left.
    """
    mask = instance.mask
    if mask is None:
        box = np.asarray(np.zeros(4) if instance.box is None else instance.box, np.float64)
        if not (box[2:] > box[:2]).all():
            return np.zeros(4), *EMPTY
        return _clip(warp_box(box, view.matrix), view.size), *EMPTY
    if not isinstance(mask, Mapping | np.ndarray):
        return _warp_polygons([warp_points(p, view.matrix) for p in mask], view.size)
    window, crop = decode_window(mask) if isinstance(mask, Mapping) else array_window(mask)
    size = tuple(mask["size"]) if isinstance(mask, Mapping) else mask.shape
    if tuple(size) != tuple(image_size):
        raise DataError(
            f"annotation {instance.annotation_id}: a mask of {size[0]}×{size[1]} (height×width) "
            f"for an image of {image_size[0]}×{image_size[1]}; the mask must be as large as the "
            "image."
        )
    window, crop = warp_bitmap(window, crop, view)
    return np.asarray(window, np.float64), window, crop


def _warp_polygons(
    polygons: list[np.ndarray], size: tuple[int, int]
) -> tuple[np.ndarray, Window, np.ndarray]:
    polygons = [p for p in polygons if len(p) >= 3 and np.isfinite(p).all()]
    window, crop = rasterise(polygons, size) if polygons else EMPTY
    if not crop.size:
        return np.zeros(4), window, crop
    points = np.concatenate(polygons)
    box = np.concatenate([points.min(0), points.max(0)])
    inside = (box[:2] >= 0).all() and box[2] <= size[1] and box[3] <= size[0]
    return box if inside else np.asarray(window, np.float64), window, crop


def warp_bitmap(window: Window, crop: np.ndarray, view: View) -> tuple[Window, np.ndarray]:
    """A bool crop (h, w) at ``window``, warped: the nearest pixel by its centre, as PIL does."""
    if not crop.size:
        return EMPTY
    box = _clip(warp_box(np.asarray(window), view.matrix), view.size)
    left, top = np.floor(box[:2]).astype(int)
    right, bottom = np.ceil(box[2:]).astype(int)
    if right <= left or bottom <= top:
        return EMPTY
    back = invert(view.matrix)
    x, y = np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5
    columns = _source(back[0], x, y) - window[0]
    rows = _source(back[1], x, y) - window[1]
    warped = (
        _take(crop, *np.broadcast_arrays(rows, columns))
        if _sheared(back)
        else _take_axes(crop, rows, columns)
    )
    tight, part = array_window(warped)
    if not part.size:
        return EMPTY
    left, top = int(left), int(top)
    return (tight[0] + left, tight[1] + top, tight[2] + left, tight[3] + top), part


def _sheared(matrix: np.ndarray) -> bool:
    return bool(matrix[0, 1] or matrix[1, 0])


def _source(row: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Source indices, (h, w), (h, 1) or (1, w), of the axis that ``row`` (3,) leads back to."""
    across = row[0] * x[None, :] if row[0] else 0.0
    down = row[1] * y[:, None] if row[1] else 0.0
    return np.floor(across + down + row[2]).astype(np.int64)


def _take(crop: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    inside = (rows >= 0) & (rows < crop.shape[0]) & (columns >= 0) & (columns < crop.shape[1])
    return crop[np.where(inside, rows, 0), np.where(inside, columns, 0)] & inside


def _take_axes(crop: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """``_take`` of upright matrices, where rows and columns are chosen independently."""
    rows, columns = rows.reshape(-1), columns.reshape(-1)
    good_rows = (rows >= 0) & (rows < crop.shape[0])
    good_columns = (columns >= 0) & (columns < crop.shape[1])
    taken = crop[np.where(good_rows, rows, 0)][:, np.where(good_columns, columns, 0)]
    return taken & good_rows[:, None] & good_columns


def _clip(box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.clip(box, 0, [size[1], size[0], size[1], size[0]])
