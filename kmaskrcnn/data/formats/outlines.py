"""Polygons and boxes out of a file: usable, mended, or left out with a reason in the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from kmaskrcnn.data.report import Report
from kmaskrcnn.environment import max_pixels

Size = tuple[int, int]
OVERHANG = 1.0
"""Pixels outside of the image that are not worth a line."""
MAX_SIDE = 2**20
"""Pixels that OpenCV takes along a side of an image."""
BEYOND = 1e9
"""Pixels: what is farther away is no coordinate, like infinity."""


def usable_size(height: Any, width: Any) -> Size | None:
    """(height, width) as a file says; None where it says nothing, or more than is ever read."""
    if not isinstance(height, int | float) or not isinstance(width, int | float):
        return None
    if not (1 <= height < MAX_SIDE and 1 <= width < MAX_SIDE):
        return None
    pixels = height * width  # most images need no look at the limit
    return (int(height), int(width)) if pixels < 1e7 or pixels <= max_pixels() else None


def usable_polygon(ring: Any, size: Size | None, place: str, report: Report) -> np.ndarray | None:
    """A list of numbers x1, y1, x2, … or of pairs as (P, 2) float64; None with a reason in the
    report.

    Args:
        ring: whatever the file holds.
        size: (height, width) of the image, if the file says so.
        place: the file and the annotation, for messages.
        report: takes the repairs and omissions.
    """
    try:
        flat = np.asarray(ring, np.float64).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        report.add("polygon left out, not a list of numbers", place)
        return None
    if flat.size < 6 or flat.size % 2:
        report.add("polygon left out, fewer than 3 points x, y", place)
        return None
    points = flat.reshape(-1, 2)
    if not (np.abs(points) < BEYOND).all():
        report.add("polygon left out, a coordinate is not a finite number of pixels", place)
        return None
    if _is_flat(points):
        report.add("polygon left out, it has no area", place)
        return None
    return points if size is None else _inside(points, size, place, report)


def ellipse(
    centre: np.ndarray, radii: np.ndarray, theta: float = 0.0, num_points: int = 72
) -> np.ndarray:
    """The polygon (num_points, 2) around ``centre`` x, y: 72 have 99.9 % of its area; ``theta``, in
    radians, turns it clockwise on the screen."""
    angles = 2 * np.pi * np.arange(num_points) / num_points
    across, down = radii[0] * np.cos(angles), radii[1] * np.sin(angles)
    cos, sin = np.cos(theta), np.sin(theta)
    return centre + np.stack([across * cos - down * sin, across * sin + down * cos], axis=1)


def _inside(points: np.ndarray, size: Size, place: str, report: Report) -> np.ndarray | None:
    limit = np.array(size[::-1], np.float64)
    low, high = points.min(0), points.max(0)
    if (high <= 0).any() or (low >= limit).any():
        report.add("polygon left out, it lies outside of the image", place)
        return None
    if (low < -OVERHANG).any() or (high > limit + OVERHANG).any():
        report.add("polygon clipped at the image's edge", place)
    return points


def _is_flat(points: np.ndarray) -> bool:
    """Whether all points lie on one line."""
    away = points - points[0]
    far = away[np.argmax(np.abs(away).sum(1))]
    across = away[:, 0] * far[1] - away[:, 1] * far[0]
    return bool(np.abs(across).max() <= 1e-9 * max(float(far @ far), 1e-300))


def usable_box(
    bbox: Any, size: Size | None, place: str, report: Report, quiet: bool
) -> tuple[float, float, float, float] | None:
    """x1 y1 x2 y2 out of x, y, width, height, clipped to the image; None where unusable.

    Args:
        bbox: whatever the file holds.
        size, place, report: as for ``usable_polygon``.
        quiet: there is a mask, which tells the box.
    """
    then = "taken from the mask" if quiet else "left out"
    try:
        box = np.asarray(bbox, np.float64).reshape(4) if bbox is not None else None
    except (TypeError, ValueError, OverflowError):
        report.add(f"box that is not four numbers {then}", place)
        return None
    if box is None or (quiet and not box.any()):
        return None
    if not (np.abs(box) < BEYOND).all():
        report.add(f"box with a coordinate that is not a finite number {then}", place)
        return None
    if min(box[2:]) <= 0:
        report.add(f"box without an area {then}", place)
        return None
    corners = np.concatenate([box[:2], box[:2] + box[2:]])
    if size is None:
        return tuple(corners.tolist())
    clipped = np.clip(corners, 0, [size[1], size[0], size[1], size[0]])
    if min(clipped[2:] - clipped[:2]) <= 0:
        report.add(f"box outside of the image {then}", place)
        return None
    if np.abs(clipped - corners).max() > OVERHANG:
        report.add("box clipped at the image's edge", place)
    return tuple(clipped.tolist())
