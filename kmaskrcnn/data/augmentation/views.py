"""From the switches of places to one affine matrix: what the network sees of an image."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.data.geometry import View, crop, flip, identity, resize, rotate
from kmaskrcnn.data.resizing import Size


def sample_view(
    source: Source, size: Size, augmentation: Augmentation, rng: np.random.Generator
) -> View:
    """Draws what the network sees of an image.

    Args:
        source: says the size of the network's input.
        size: (height, width) of the original image.
        augmentation: its fields of places, which are applied in their order.
        rng: all randomness comes from it.
    """
    view = _random_part(identity(size), augmentation.crop, rng)
    shares = augmentation.train_sizes
    share = shares[int(rng.integers(len(shares)))] if len(shares) > 1 else shares[0]
    usual = source.usual_size(view.size, share)
    height, width = augmentation.canvas_size or usual
    view = _jittered(resize(view, usual), augmentation.scale, (height, width), rng)
    if chance(augmentation.flip, rng):
        view = flip(view)
    if chance(augmentation.vertical_flip, rng):
        view = flip(view, vertical=True)
    if augmentation.pad:
        view = View(view.matrix, (height, width))
    return _turned(view, augmentation, rng)


def chance(share: float, rng: np.random.Generator) -> bool:
    """Whether this image is among the share; nothing is drawn for a share of 0."""
    return share > 0 and bool(rng.random() < share)


def _random_part(view: View, shares: tuple[float, float], rng: np.random.Generator) -> View:
    if shares == (1.0, 1.0):
        return view
    height, width = (max(int(rng.uniform(*shares) * side), 1) for side in view.size)
    return random_place(view, (height, width), rng)


def _jittered(
    view: View, factors: tuple[float, float], canvas: Size, rng: np.random.Generator
) -> View:
    """Smaller or larger, and cut to the canvas where it exceeds it."""
    if factors != (1.0, 1.0):
        factor = rng.uniform(*factors)
        height, width = (max(int(factor * side + 0.5), 1) for side in view.size)
        view = resize(view, (height, width))
    height, width = (min(pair) for pair in zip(view.size, canvas, strict=True))
    return random_place(view, (height, width), rng)


def _turned(view: View, augmentation: Augmentation, rng: np.random.Generator) -> View:
    """Rotated, sheared and moved, in one step about the middle."""
    limits = augmentation.rotation, augmentation.shear, augmentation.translation
    if not any(limits):
        return view
    degrees, shear, right, down = rng.uniform(-1, 1, 4) * [*limits, augmentation.translation]
    view = rotate(view, degrees, shear)
    return crop(view, -right * view.size[1], -down * view.size[0], view.size)


def random_place(view: View, size: Size, rng: np.random.Generator) -> View:
    """A part of ``size`` at a random place in whole pixels, or the whole on a larger canvas."""
    if tuple(size) == tuple(view.size):
        return view
    spare = np.subtract(view.size, size)
    y, x = rng.integers(np.minimum(spare, 0), np.maximum(spare, 0) + 1)
    return crop(view, int(x), int(y), size)


def filling_view(view: View, size: Size, rng: np.random.Generator) -> View:
    """The view resized until it just fills ``size``, and cut at a random place."""
    scale = max(np.divide(size, view.size))
    height, width = (max(round(scale * v), s) for v, s in zip(view.size, size, strict=True))
    return random_place(resize(view, (height, width)), size, rng)
