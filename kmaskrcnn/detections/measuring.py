"""Measurements of each object, by scikit-image, inside the object's window only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.regions import Region, tight_region

SHAPE = {  # ours: scikit-image's
    "area": "area",
    "centroid_x": "centroid-1",
    "centroid_y": "centroid-0",
    "orientation": "orientation",
    "major_axis": "axis_major_length",
    "minor_axis": "axis_minor_length",
    "eccentricity": "eccentricity",
    "perimeter": "perimeter_crofton",
    "solidity": "solidity",
}
CHANNELS = ("mean_red", "mean_green", "mean_blue")


def measure(found: Objects, image: str | Path | np.ndarray | None = None) -> dict[str, np.ndarray]:
    """A column (K,) float64 of each measurement; see `Detections.measure`."""
    pixels = None if image is None else read_values(image, found.image_size)
    columns = dict.fromkeys(SHAPE)
    names = [*columns, *([] if pixels is None else _intensity_names(pixels))]
    rows = np.full((len(found), len(names)), np.nan)
    for i in range(len(found)):
        window, crop = found.pixels(i)
        region = tight_region(crop, window[:2])
        rows[i, : len(SHAPE)] = shape_of(region)
        if pixels is not None:
            rows[i, len(SHAPE) :] = _intensities(region, pixels)
    return {name: rows[:, i].copy() for i, name in enumerate(names)}


def shape_of(region: Region) -> list[float]:
    """The values of ``SHAPE`` of one object; area 0 and the others NaN where it has no pixel."""
    from skimage.measure import regionprops_table  # takes a while to import

    if not region.area:
        return [0.0] + [np.nan] * (len(SHAPE) - 1)
    own = ("area", "centroid", "orientation", *list(SHAPE.values())[4:])
    table = regionprops_table(region.crop.astype(np.uint8), properties=own)
    values = {name: float(table[theirs][0]) for name, theirs in SHAPE.items()}
    values["centroid_x"] += region.window[0] + 0.5  # a pixel's centre is half a pixel inside it
    values["centroid_y"] += region.window[1] + 0.5
    values["orientation"] = _from_x_axis(values["orientation"])
    return list(values.values())


def _from_x_axis(angle: float) -> float:
    """scikit-image counts from the axis of rows; here from x towards y, in (-π/2, π/2]."""
    turned = np.pi / 2 - angle
    return float(turned - np.pi if turned > np.pi / 2 else turned)


def read_values(image: str | Path | np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) of the image's own values: 16 bits stay 16 bits.

    Raises:
        ValueError: no such file, not an image, or another size.
    """
    if isinstance(image, (str, Path)):
        image = drawing.read_picture(Path(image), image_size, as_it_is=True)
    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.shape[:2] != tuple(image_size):
        raise ValueError(
            f"image: expected {tuple(image_size)} (height, width) or that and channels, the image "
            f"that the objects were found in, got {image.shape}"
        )
    image = image[:, :, None] if image.ndim == 2 else image
    return image[:, :, :3] if image.shape[2] == 4 else image  # alpha is not measured


def _intensity_names(image: np.ndarray) -> list[str]:
    return ["mean_intensity", *(CHANNELS if image.shape[2] == 3 else ())]


def _intensities(region: Region, image: np.ndarray) -> np.ndarray:
    """Mean over the object's pixels: of all channels, and of each of three."""
    left, top, right, bottom = region.window
    if not region.area:
        return np.full(len(_intensity_names(image)), np.nan)
    means = image[top:bottom, left:right][region.crop].mean(axis=0, dtype=np.float64)
    return np.array([means.mean(), *(means if len(means) == 3 else ())])
