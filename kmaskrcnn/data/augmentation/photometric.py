"""Colours, as one affine matrix an image: brightness, contrast, saturation and hue compose, and are
rounded and clipped once.
"""

from __future__ import annotations

import cv2
import numpy as np

from kmaskrcnn.augmentation import Augmentation

LUMA = np.array([0.299, 0.587, 0.114])
"""How bright red, green and blue look (ITU-R BT.601, as torchvision and Pillow weigh them)."""
# Luma and the two axes of colour (NTSC), in whose plane a turn changes the hue alone.
_YIQ = np.array([LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])


def recolour(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """The image with other colours, everything in its place.

    Brighter or darker, then more or less contrast about the mean grey, more or less saturation, and
    another hue: each for ``color_share`` of the images.

    Args:
        image: (h, w, 3) uint8 RGB.
        augmentation: its fields of colours.
        rng: all randomness comes from it.

    Returns:
        (h, w, 3) uint8.
    """
    names = ("brightness", "contrast", "saturation", "hue")
    limits = np.array([getattr(augmentation, name) for name in names])
    if not (limits.any() and augmentation.color_share):
        return image
    chosen = rng.random(4) < augmentation.color_share
    brightness, contrast, saturation, hue = rng.uniform(-1, 1, 4) * limits * chosen
    matrix = color_matrix(image, 1 + brightness, 1 + contrast, 1 + saturation, hue)
    exact = cv2.transform(image.astype(np.float32), matrix)
    return np.clip(np.rint(exact, out=exact), 0, 255, out=exact).astype(np.uint8)


def color_matrix(
    image: np.ndarray, brightness: float, contrast: float, saturation: float, hue: float
) -> np.ndarray:
    """The matrix (3, 4) that takes RGB in 0 … 255 and a one to RGB.

    Args:
        image: (h, w, 3) uint8, for its mean grey.
        brightness, contrast, saturation: factors, 1 changes nothing. hue: degrees of a turn.
    """
    cosine, sine = np.cos(np.radians(hue)), np.sin(np.radians(hue))
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    grey = np.tile(LUMA, (3, 1))
    colors = np.linalg.inv(_YIQ) @ turn @ _YIQ @ (grey + saturation * (np.eye(3) - grey))
    mean = brightness * float(LUMA @ cv2.mean(image)[:3])
    return np.column_stack([brightness * contrast * colors, np.full(3, (1 - contrast) * mean)])
