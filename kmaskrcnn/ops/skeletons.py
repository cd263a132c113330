"""Keypoints on a picture: bones in the colour of their side, dots with a dark rim."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from kmaskrcnn.ops.captions import Color

LEFT: Color = (0, 190, 255)
RIGHT: Color = (255, 120, 20)
RIM: Color = (18, 18, 18)
_SHIFT = 4  # fractional bits of OpenCV's coordinates


class Skeletons(NamedTuple):
    """The keypoints of K objects and how to draw them.

    Attributes:
        keypoints: (K, J, 3) x, y in continuous pixels of the picture, and score or visibility.
        names: J names, or none; ``left`` and ``right`` in them are sides.
        bones: pairs of indices of keypoints.
        least_score: only keypoints above it are drawn, and bones between two of them.
    """

    keypoints: np.ndarray
    names: tuple[str, ...] = ()
    bones: tuple[tuple[int, int], ...] = ()
    least_score: float = 0.0


def draw_skeleton(
    image: np.ndarray, skeletons: Skeletons, index: int, box: np.ndarray, color: Color
) -> None:
    """Draws one object's keypoints into ``image``.

    Lines follow the object's size, so that small people are not hidden by them and large ones are
    not drawn with hairs.

    Args:
        image: (H, W, 3) uint8 RGB, changed.
        skeletons: of all objects.
        index: of the object.
        box: (4,) of the object in pixels of ``image``.
        color: of what is on neither side.
    """
    keypoints = skeletons.keypoints[index]
    seen = keypoints[:, 2] > skeletons.least_score
    line = _line_width(box, image.shape[:2])
    sides = [_side(name) for name in skeletons.names] or [0] * len(keypoints)
    colors = {0: color, 1: LEFT, 2: RIGHT}
    points = [_fixed(point) for point in keypoints[:, :2]]
    bones = [(a, b) for a, b in skeletons.bones if seen[a] and seen[b]]
    rim = 2 if line > 1 else 1
    for a, b in bones:
        cv2.line(image, points[a], points[b], RIM, line + 2 * rim, cv2.LINE_AA, _SHIFT)
    for a, b in bones:
        shade = colors[_side_of_bone(sides[a], sides[b])]
        cv2.line(image, points[a], points[b], shade, line, cv2.LINE_AA, _SHIFT)
    for j in np.flatnonzero(seen):
        for radius, shade in ((1.1 * line + rim, RIM), (1.1 * line, colors[sides[j]])):
            fixed = round(radius * 2**_SHIFT)
            cv2.circle(image, points[j], fixed, shade, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _line_width(box: np.ndarray, size: tuple[int, int]) -> int:
    """Pixels: a hundredth of the object's size, at most of what suits the picture."""
    side = float(np.sqrt(max(np.prod(np.maximum(box[2:] - box[:2], 0)), 0)))
    most = max(2.0, 4 * np.sqrt(size[0] * size[1]) / 640)
    return max(1, round(min(side / 70, most)))


def _side(name: str) -> int:
    """1 left, 2 right, 0 neither."""
    return 1 if "left" in name else 2 if "right" in name else 0


def _side_of_bone(first: int, second: int) -> int:
    """A bone from the middle to a side is on that side; one across is on neither."""
    return max(first, second) if 0 in (first, second) or first == second else 0


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """Continuous pixels as OpenCV counts them: from pixel centres, in fixed point."""
    x, y = np.clip(np.round((point - 0.5) * 2**_SHIFT), -(2**24), 2**24).astype(int).tolist()
    return x, y
