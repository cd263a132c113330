"""Outlines of masks along the edges of their pixels, with holes or cut open at them.

``cv2.findContours`` runs through the centres of the border pixels, half a pixel inside the object.
Here it runs on the lattice of pixel corners (odd places are pixels, even places the lines between
them), so that the outline of one pixel is its unit square.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from kmaskrcnn.ops.regions import Region

CORNERS_TRIED = 256  # of all holes of a part, for the places of their cuts


class Outline(NamedTuple):
    """One connected part of a mask: (P, 2) float32, x y in continuous pixels of the image."""

    outer: np.ndarray
    holes: list[np.ndarray]


def to_polygons(region: Region, tolerance: float = 0.0) -> list[np.ndarray]:
    """Outer outlines of a region; holes have none, as in COCO's polygons.

    Args:
        region: the object.
        tolerance: pixels that a simplified outline may leave the true one by; 0 keeps every step.

    Returns: polygons (P, 2) float32, x y in continuous pixels of the image, largest first.
    """
    return [outline.outer for outline in to_outlines(region, tolerance)]


def to_cut_polygons(region: Region, tolerance: float = 0.0) -> list[np.ndarray]:
    """The same, with each hole joined to the outline around it by a cut that is passed twice.

    A polygon alone cannot have a hole; cut open, one ring of points goes around both, and whatever
    fills it by the even-odd or by the non-zero rule leaves the hole free.
    """
    return [_cut_open(*outline) for outline in to_outlines(region, tolerance)]


def join_rings(rings: Sequence[np.ndarray]) -> np.ndarray:
    """Rings of points (P, 2) that do not overlap as one, by cuts that are passed twice."""
    return _cut_open(rings[0], list(rings[1:]))


def to_outlines(region: Region, tolerance: float = 0.0) -> list[Outline]:
    """Each connected part's outline and its holes, the largest part first."""
    if not region.crop.any():
        return []
    height, width = region.crop.shape
    lattice = np.zeros((2 * height + 1, 2 * width + 1), dtype=np.uint8)
    lattice[1::2, 1::2] = region.crop
    lattice = cv2.dilate(lattice, np.ones((3, 3), np.uint8))
    contours, tree = cv2.findContours(lattice, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    origin = np.asarray(region.window[:2], dtype=np.float32)
    rings = [_ring(each[:, 0], tolerance) + origin for each in contours]
    parents = tree[0, :, 3]
    parts = [
        Outline(rings[i], [rings[j] for j in np.flatnonzero(parents == i)])
        for i in np.flatnonzero(parents < 0)
    ]
    return sorted(parts, key=lambda part: cv2.contourArea(part.outer), reverse=True)


def _ring(steps: np.ndarray, tolerance: float) -> np.ndarray:
    """(P, 2) float32 in pixels; one that a tolerance would flatten is kept exactly."""
    if tolerance > 0:
        fewer = cv2.approxPolyDP(steps, 2 * tolerance, True)[:, 0]
        if len(fewer) >= 3 and cv2.contourArea(fewer) > 0:
            return fewer.astype(np.float32) / 2
    return _with_corners(steps).astype(np.float32) / 2


def _with_corners(ring: np.ndarray) -> np.ndarray:
    """(P, 2) int32 of the lattice: corners only, those too that a diagonal step leaves out."""
    following = np.roll(ring, -1, axis=0)
    diagonal = (ring != following).all(axis=1)
    x_first = np.stack([following[:, 0], ring[:, 1]], axis=1)
    y_first = np.stack([ring[:, 0], following[:, 1]], axis=1)
    left_out = np.where((x_first % 2 == 0).all(axis=1)[:, None], x_first, y_first)
    all_points = np.insert(ring, np.flatnonzero(diagonal) + 1, left_out[diagonal], axis=0)
    steps = np.roll(all_points, -1, axis=0) - all_points
    turns = (steps != np.roll(steps, 1, axis=0)).any(axis=1)
    return all_points[turns]


def _cut_open(outer: np.ndarray, holes: list[np.ndarray]) -> np.ndarray:
    """One ring (P, 2): along the outline, and into each hole where it is near and back again."""
    tried = max(1, CORNERS_TRIED // max(1, len(holes)))
    cuts = sorted((*_near_pair(outer, hole, tried), number) for number, hole in enumerate(holes))
    pieces, last = [], 0
    for at, start, number in cuts:
        hole = np.roll(holes[number], -start, axis=0)
        pieces += [outer[last : at + 1], hole, hole[:1]]
        last = at
    return np.concatenate([*pieces, outer[last:]])


def _near_pair(ring: np.ndarray, hole: np.ndarray, tried: int) -> tuple[int, int]:
    """Places of two corners that are near to each other; so many of the hole's are tried, lest
    frayed masks take minutes and gigabytes.
    """
    some = np.linspace(0, len(hole) - 1, min(len(hole), tried)).astype(int)
    x, y = (ring[:, None, axis] - hole[None, some, axis] for axis in (0, 1))
    at, nearest = np.unravel_index(int(np.argmin(x * x + y * y)), x.shape)
    return int(at), int(some[nearest])
