"""Geometry as one affine matrix a sample: resizing, flipping and cropping compose, and everything
is warped once.

A matrix is (2, 3) float64 and maps continuous pixels (x, y) of the original image to those of the
network's input. Pixel i covers [i, i + 1), so its centre is i + 0.5 on both sides.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np


class View(NamedTuple):
    """What the network sees: a ``matrix`` (2, 3) and the ``size`` (height, width) it leads to."""

    matrix: np.ndarray
    size: tuple[int, int]


class Canvas(NamedTuple):
    """The padded input of the network: its ``size`` (height, width), and the image's corner."""

    size: tuple[int, int]
    top: int
    left: int


def lay_out(size: tuple[int, int], canvas: str, max_size: int, size_divisor: int) -> Canvas:
    """Where a resized image of ``size`` lies in the network's input.

    Args:
        size: (height, width).
        canvas: ``"corner"``: at the upper left of the smallest canvas that holds it; ``"square"``:
            in the middle of ``max_size`` squared, the odd pixel below and right (matterport).
        max_size: of the square; with ``"corner"`` it says nothing.
        size_divisor: the canvas' sides are rounded up to multiples of it.

    Raises:
        ValueError: another canvas, or an image larger than the square.
    """
    if canvas not in ("corner", "square"):
        raise ValueError(f"expected a canvas 'corner' or 'square', got {canvas!r}")
    sides = size if canvas == "corner" else (max_size, max_size)
    height, width = (-(-side // size_divisor) * size_divisor for side in sides)
    if canvas == "corner":
        return Canvas((height, width), 0, 0)
    if max(size) > max_size:
        raise ValueError(f"an image of {size[0]}×{size[1]} does not fit on {max_size} squared")
    return Canvas((height, width), (height - size[0]) // 2, (width - size[1]) // 2)


def place(image: np.ndarray, canvas: Canvas, out: np.ndarray) -> None:
    """Writes the image (h, w, 3) into its place on the canvas, `out` (H, W, 3)."""
    height, width = image.shape[:2]
    out[canvas.top : canvas.top + height, canvas.left : canvas.left + width] = image


def resized(size: tuple[int, int], min_size: float, max_size: float) -> tuple[int, int]:
    """The size whose shorter side is ``min_size``, if the longer one stays within ``max_size``."""
    scale = min(min_size / min(size), max_size / max(size))
    height, width = (max(int(np.floor(side * scale + 0.5)), 1) for side in size)
    return height, width


def identity(size: tuple[int, int]) -> View:
    """The image as it is."""
    return View(np.eye(2, 3), size)


def resize(view: View, size: tuple[int, int]) -> View:
    """Stretches to ``size``; the image's borders fall on the new borders."""
    scale = np.diag([size[1] / view.size[1], size[0] / view.size[0]])
    return View(scale @ view.matrix, size)


def flip(view: View, vertical: bool = False) -> View:
    """Mirrors left and right, or top and bottom."""
    axis = 1 if vertical else 0
    matrix = view.matrix.copy()
    matrix[axis] *= -1
    matrix[axis, 2] += view.size[0] if vertical else view.size[1]
    return View(matrix, view.size)


def crop(view: View, x: float, y: float, size: tuple[int, int]) -> View:
    """The part of ``size`` whose upper left corner is at (x, y)."""
    return View(view.matrix - [[0, 0, x], [0, 0, y]], size)


def rotate(view: View, degrees: float, shear: float = 0.0) -> View:
    """Turns clockwise about the middle; the size stays, corners are cut and come in black.

    Args:
        degrees: of the turn. shear: degrees by which upright lines lean to the left before it.
    """
    height, width = view.size
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]]) @ [[1, np.tan(np.radians(shear))], [0, 1]]
    middle = np.array([width / 2, height / 2])
    return View(compose(np.c_[turn, middle - turn @ middle], view.matrix), view.size)


def resize_matrix(size: tuple[int, int], min_size: float, max_size: float) -> np.ndarray:
    """The matrix (2, 3) from ``size`` to ``resized(size, min_size, max_size)``."""
    return resize(identity(size), resized(size, min_size, max_size)).matrix


def compose(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The matrix (2, 3) that does ``before``, then ``after``."""
    return after @ np.vstack([before, [0, 0, 1]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """The matrix (2, 3) back."""
    return np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]


def warp_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (…, 2) of x, y through the matrix, in float64."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def warp_box(box: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The upright box (4,) around a warped box (4,), x1 y1 x2 y2."""
    corners = warp_points(np.asarray(box, np.float64)[[[0, 1], [2, 1], [2, 3], [0, 3]]], matrix)
    return np.concatenate([corners.min(0), corners.max(0)])


def warp_image(image: np.ndarray, view: View, fill: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """The image (H, W, 3) uint8 as ``view`` shows it, (height, width, 3); outside of it ``fill``.

    Shrinking averages areas (no aliasing), enlarging is bilinear. A view that only resizes, mirrors
    and cuts at whole pixels is resized and sliced, so training and predicting see the very same
    pixels, unless most of what was enlarged would be thrown away.
    """
    scale = np.hypot(view.matrix[0, :2], view.matrix[1, :2])
    middle = (
        max(int(image.shape[0] * scale[1] + 0.5), 1),
        max(int(image.shape[1] * scale[0] + 0.5), 1),
    )
    rest = compose(view.matrix, invert(resize(identity(image.shape[:2]), middle).matrix))
    whole = np.round(rest)
    wasteful = min(scale) > 1 and np.prod(middle) > 2 * np.prod(view.size)
    if (
        not wasteful
        and np.allclose(rest, whole, atol=1e-6)
        and np.array_equal(np.abs(whole[:, :2]), np.eye(2))
    ):
        return _cut(_resize_pixels(image, middle), whole, view.size, fill)
    if max(scale) >= 1:
        return _warp_pixels(image, view.matrix, view.size, fill)
    return _warp_pixels(_resize_pixels(image, middle), rest, view.size, fill)


def prepare_image(
    image: np.ndarray, min_size: float, max_size: float
) -> tuple[np.ndarray, np.ndarray]:
    """Resizes an image (H, W, 3) uint8 as training does.

    Returns:
        The image (height, width, 3) uint8, and the matrix (2, 3) from the original to it.
    """
    view = resize(identity(image.shape[:2]), resized(image.shape[:2], min_size, max_size))
    return warp_image(image, view), view.matrix


def _resize_pixels(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )


def _warp_pixels(
    image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], fill: tuple[int, int, int]
) -> np.ndarray:
    """``cv2.warpAffine``, which counts from pixel centres: half a pixel off on both sides."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
    return cv2.warpAffine(image, centred, size[::-1], flags=cv2.INTER_LINEAR, borderValue=fill)


def _cut(
    image: np.ndarray, matrix: np.ndarray, size: tuple[int, int], fill: tuple[int, int, int]
) -> np.ndarray:
    """Mirrors and shifts by whole pixels."""
    upside_down, mirrored = matrix[1, 1] < 0, matrix[0, 0] < 0
    top = int(matrix[1, 2]) - upside_down * image.shape[0]
    left = int(matrix[0, 2]) - mirrored * image.shape[1]
    rows = _seen(-top, size[0], image.shape[0], upside_down)
    columns = _seen(-left, size[1], image.shape[1], mirrored)
    source = image[rows, columns]
    if source.size and (upside_down or mirrored):
        source = cv2.flip(source, -1 if upside_down and mirrored else int(mirrored))
    if source.shape[:2] == size:
        return np.ascontiguousarray(source)
    result = np.full((*size, 3), fill, image.dtype)
    y, x = max(top, 0), max(left, 0)
    result[y : y + source.shape[0], x : x + source.shape[1]] = source
    return result


def _seen(start: int, length: int, whole: int, mirrored: bool) -> slice:
    """Which of ``whole`` pixels are the ``length`` from ``start`` on, counted in the mirror."""
    first, last = min(max(start, 0), whole), min(max(start + length, 0), whole)
    return slice(whole - last, whole - first) if mirrored else slice(first, last)
