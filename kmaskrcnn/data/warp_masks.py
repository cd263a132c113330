"""An object through the sample's one matrix: its mask, and the box around what is seen of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kmaskrcnn.data.bitmaps import warp_bitmap
from kmaskrcnn.data.bounds import bitmap_bounds, polygon_bounds
from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import View, warp_box, warp_points
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.data.rle import EMPTY, Window, array_window, decode_window


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
    warped, part = warp_bitmap(window, crop, view)
    return (bitmap_bounds(window, crop, view) if part.size else np.zeros(4)), warped, part


def _warp_polygons(
    polygons: list[np.ndarray], size: tuple[int, int]
) -> tuple[np.ndarray, Window, np.ndarray]:
    polygons = [p for p in polygons if len(p) >= 3 and np.isfinite(p).all()]
    window, crop = rasterise(polygons, size) if polygons else EMPTY
    return (polygon_bounds(polygons, size) if crop.size else np.zeros(4)), window, crop


def _clip(box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.clip(box, 0, [size[1], size[0], size[1], size[0]])
