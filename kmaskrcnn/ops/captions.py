"""Captions on a picture: text on plates that hide neither each other nor small objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_DUPLEX
PLATE = np.float32(18)  # grey level
Color = tuple[int, int, int]


@lru_cache(maxsize=64)
def font_scale(height: int) -> float:
    """OpenCV's scale for capitals ``height`` pixels high, measured: versions 4 and 5 differ."""
    canvas = np.zeros((120, 160), np.uint8)
    cv2.putText(canvas, "H", (10, 100), FONT, 2.0, 255, 1)
    return 2.0 * height / int(np.count_nonzero(canvas.max(axis=1) > 127))


@lru_cache(maxsize=64)
def _space(height: int) -> str:
    """What stands between words: OpenCV 5's own space is too narrow to be seen in small text."""
    scale = font_scale(height)
    gap = cv2.getTextSize("a a", FONT, scale, 1)[0][0] - cv2.getTextSize("aa", FONT, scale, 1)[0][0]
    return "  " if gap < 0.5 * height else " "


def text_width(text: str, height: int) -> int:
    """Pixels that ``text`` is wide with capitals ``height`` high."""
    text = text.replace(" ", _space(height))
    return cv2.getTextSize(text, FONT, font_scale(height), 1)[0][0]


def padding(height: int) -> int:
    """Pixels between text and the edge of its plate; letters like g reach into it."""
    return max(2, round(0.4 * height))


def plate_size(text: str, height: int) -> tuple[int, int]:
    """(width, height) in pixels of the plate that carries ``text``, its bar of colour included."""
    pad = padding(height)
    return text_width(text, height) + 3 * pad, height + 2 * pad


def write(image: np.ndarray, text: str, left: int, top: int, height: int, color: Color) -> None:
    """Writes ``text`` into ``image``, the top left corner of its capitals at ``left``, ``top``."""
    text = text.replace(" ", _space(height))
    origin = (int(left), int(top) + height)
    cv2.putText(image, text, origin, FONT, font_scale(height), color, 1, cv2.LINE_AA)


def draw_captions(
    image: np.ndarray,
    boxes: np.ndarray,
    captions: Sequence[str],
    colors: Sequence[Color],
    height: int,
) -> list[tuple[int, int, int, int] | None]:
    """Draws a caption for every box that has room for one, the first boxes first, into ``image``.

    A plate goes to the place around its box that hides least. It never covers another plate, nor
    most of another
    box: a caption without such a place is left out, so that fifty small objects stay visible.

    Args:
        image: (H, W, 3) uint8, changed.
        boxes: (K, 4) float32 in pixels of ``image``.
        captions: K texts, the most important first.
        colors: K colours of the plates.
        height: of the capitals, in pixels.

    Returns: the K plates, x1 y1 x2 y2, None where there was no room.
    """
    plates: list[tuple[int, int, int, int] | None] = []
    for i, (text, color) in enumerate(zip(captions, colors, strict=True)):
        taken = np.array([p for p in plates if p is not None], np.float32).reshape(-1, 4)
        others = np.delete(boxes, i, axis=0)
        size = plate_size(text, height)
        plate = _best_place(boxes[i], size, taken, others, image.shape[:2])
        plates.append(plate)
        if plate is not None:
            _draw_plate(image, plate, text, color, height)
    return plates


def _best_place(
    box: np.ndarray,
    size: tuple[int, int],
    taken: np.ndarray,
    others: np.ndarray,
    image_size: tuple[int, int],
) -> tuple[int, int, int, int] | None:
    places = _places(box, size, image_size)
    shared_with_plates = _intersections(places, taken).sum(axis=1)
    areas = np.maximum(np.prod(others[:, 2:] - others[:, :2], axis=1), 1)
    hidden = _intersections(places, others) / areas  # (places, others): share of a box hidden
    most_hidden = hidden.max(axis=1, initial=0)
    cost = hidden.sum(axis=1) + 0.02 * np.arange(len(places))  # the first places are the usual
    cost[(shared_with_plates > 0) | (most_hidden > 0.5)] = np.inf
    best = int(np.argmin(cost))
    if np.isinf(cost[best]):
        return None
    left, top, right, bottom = (int(v) for v in places[best])
    return left, top, right, bottom


def _places(box: np.ndarray, size: tuple[int, int], image_size: tuple[int, int]) -> np.ndarray:
    """Candidate plates (P, 4) around and inside a box, moved into the image, the usual first."""
    width, height = size
    x1, y1, x2, y2 = np.round(box).astype(int)
    middle = (x1 + x2 - width) // 2
    corners = [(x1, y1 - height), (x2 - width, y1 - height), (x1, y2), (x2 - width, y2)]
    if x2 - x1 > 1.5 * width and y2 - y1 > 2 * height:  # inside, without hiding the object
        corners[1:1] = [(x1, y1), (x2 - width, y1), (x1, y2 - height), (x2 - width, y2 - height)]
    corners += [(x2, y1), (x1 - width, y1), (middle, y1 - height), (middle, y2)]
    corners += [(x2, y2 - height), (x1 - width, y2 - height)]
    left_top = np.array(corners)
    limit = np.array([image_size[1] - width, image_size[0] - height])
    left_top = np.clip(left_top, 0, np.maximum(limit, 0))
    return np.concatenate([left_top, left_top + size], axis=1)


def _intersections(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    return np.prod(np.maximum(sides, 0), axis=2)


def draw_legend(
    image: np.ndarray, boxes: np.ndarray, rows: Sequence[tuple[Color | None, str]], height: int
) -> tuple[int, int, int, int] | None:
    """Draws a table of colours and texts into the corner of ``image`` where it hides least.

    Args:
        image: (H, W, 3) uint8, changed.
        boxes: (K, 4) of what should not be hidden.
        rows: colour, or None, and text of each line; those beyond half the picture are counted in
            a last one.
        height: of the capitals, in pixels.

    Returns: the legend's x1 y1 x2 y2; None of no rows.
    """
    pad, pitch = padding(height), 2 * height
    most = max(1, (image.shape[0] // 2 - 2 * pad) // pitch)
    if len(rows) > most:
        rows = [*rows[: most - 1], (None, f"and {len(rows) - most + 1} more")]
    if not rows:
        return None
    colored = any(color is not None for color, _ in rows)
    indent = pad + (2 * height if colored else 0)
    width = max(text_width(text, height) for _, text in rows) + indent + pad
    size = np.array([width, len(rows) * pitch + pad])
    right_bottom = np.maximum(np.array(image.shape[1::-1]) - size, 0)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * right_bottom
    places = np.concatenate([corners, corners + size], axis=1)
    hidden = _intersections(places, np.asarray(boxes, np.float32).reshape(-1, 4)).sum(axis=1)
    left, top, right, bottom = (int(v) for v in places[int(np.argmin(hidden))])
    _darken(image[top:bottom, left:right])
    for i, (color, text) in enumerate(rows):
        y = top + pad + i * pitch + (pitch - pad - height) // 2
        if color is not None:
            image[y : y + height, left + pad : left + pad + height + height // 2] = color
        write(image, text, left + indent, y, height, (235, 235, 235))
    return left, top, right, bottom


def _darken(under: np.ndarray) -> None:
    under[:] = (0.25 * under + 0.75 * PLATE).astype(np.uint8)


def _draw_plate(
    image: np.ndarray, plate: tuple[int, int, int, int], text: str, color: Color, height: int
) -> None:
    """A dark, translucent plate with a bar of the object's colour and text in a tint of it."""
    left, top, right, bottom = plate
    pad = padding(height)
    under = image[top:bottom, left:right]
    _darken(under)
    under[:, :pad] = color
    red, green, blue = (round(0.7 * 255 + 0.3 * channel) for channel in color)
    write(image, text, left + 2 * pad, top + pad, height, (red, green, blue))
