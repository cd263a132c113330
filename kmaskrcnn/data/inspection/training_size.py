"""Images and objects as the network sees them, and the image size that suits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.resizing import resized_size

HARD, SMALL = 8.0, 16.0
"""Pixels of the network's input a side: two and four cells of P2, the finest level."""
MOST_SMALL = 0.05
"""Share of the objects that may be smaller than `SMALL` at the suggested size."""
USUAL = 64.0
"""Pixels a side that half of the objects have at least there."""
MOST_ENLARGED = 3.0
"""An image enlarged further gains hardly more than pixels: a cell of P2 covers four of them."""
SHORT_SIDES = (320, 400, 512, 640, 800, 1024, 1280)


def network_sizes(sizes: np.ndarray, config: MaskRCNNConfig) -> np.ndarray:
    """The (height, width) of each image (N, 2) at the network's input, without padding."""
    distinct, place = np.unique(sizes, axis=0, return_inverse=True)
    scaled = [
        resized_size((int(h), int(w)), config.min_size, config.max_size, config.resize)
        for h, w in np.maximum(distinct, 1)
    ]
    return np.array(scaled, int).reshape(-1, 2)[place.reshape(-1)]


def network_boxes(objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig) -> np.ndarray:
    """The boxes (K, 4) float64 at the network's input, of images of ``sizes`` (N, 2)."""
    return _stretched(objects, sizes, network_sizes(sizes, config))


def _stretched(objects: Objects, sizes: np.ndarray, new_sizes: np.ndarray) -> np.ndarray:
    """The boxes (K, 4) when images of ``sizes`` become ``new_sizes``."""
    factors = new_sizes / np.maximum(sizes, 1)
    return objects.boxes * np.tile(factors[:, ::-1], 2)[objects.images]


def sides(boxes: np.ndarray) -> np.ndarray:
    """√(width · height) of boxes (K, 4): (K,)."""
    return np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


@dataclass(frozen=True)
class SizeChoice:
    """What a short side means for the data.

    Attributes:
        min_size, max_size: pixels, fields of the config.
        pixels: of a median image at that size, over those at the size in use: what memory and time
            grow with.
        enlarged: of the median image, how many times its own size.
        median: side √(width · height) of the objects.
        hard, small: share of the objects whose side is below `HARD`, `SMALL`.
        below_anchors: share whose side is below that of the smallest anchor in use.
    """

    min_size: int
    max_size: int
    pixels: float
    enlarged: float
    median: float
    hard: float
    small: float
    below_anchors: float


@dataclass(frozen=True)
class SizeAdvice:
    """Image sizes side by side.

    Attributes:
        choices: from the smallest short side to the largest; the one in use is among them.
        used: the short side in use.
        suggested: the smallest at which few objects are small; None where there are no objects.
        reason: why that one.
    """

    choices: tuple[SizeChoice, ...]
    used: int
    suggested: int | None
    reason: str


def advise_size(objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig) -> SizeAdvice:
    """How large objects are at several image sizes, and which size suffices.

    Args:
        objects: with boxes in pixels of their images.
        sizes: (N, 2) height and width of the images.
        config: the size in use.
    """
    if not len(objects.boxes):
        return SizeAdvice((), config.min_size, None, "there are no objects")
    shorts = sorted({*SHORT_SIDES, config.min_size})
    used = _median_area(network_sizes(sizes, config))
    choices = tuple(_choice(short, objects, sizes, config, used) for short in shorts)
    suggested, reason = _suggest(choices)
    return SizeAdvice(choices, config.min_size, suggested, reason)


def _choice(
    short: int, objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig, used: float
) -> SizeChoice:
    longest = round(short * config.max_size / config.min_size)
    new_sizes = network_sizes(sizes, config.replace(min_size=short, max_size=longest))
    lengths = sides(_stretched(objects, sizes, new_sizes))
    smallest = min(min(level) for level in config.anchor_sizes)
    return SizeChoice(
        short,
        longest,
        _median_area(new_sizes) / used,
        float(np.median(new_sizes.min(1) / np.maximum(sizes.min(1), 1))),
        float(np.median(lengths)),
        *(float((lengths < limit).mean()) for limit in (HARD, SMALL, smallest)),
    )


def _median_area(sizes: np.ndarray) -> float:
    return float(np.median(np.prod(sizes, axis=1)))


def _suggest(choices: Sequence[SizeChoice]) -> tuple[int, str]:
    useful = [choice for choice in choices if choice.enlarged <= MOST_ENLARGED] or choices[:1]
    enough = [c for c in useful if c.small <= MOST_SMALL and c.median >= USUAL]
    best = enough[0] if enough else useful[-1]
    reason = (
        f"{1 - best.small:.0%} of the objects have {SMALL:g} pixels a side or more there, half of "
        f"them {best.median:.0f}"
    )
    if not enough and best is not choices[-1]:
        reason += "; larger images show no more detail"
    if best.small > MOST_SMALL:
        reason += "; think of tiles"
    return best.min_size, reason
