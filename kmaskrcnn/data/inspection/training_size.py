"""Images and objects as the network sees them, and the image size that suits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.resizing import resized_size

HARD, SMALL = 8.0, 32.0
"""Pixels of the network's input: an object of 8 is two cells of P2; 32 is COCO's small."""
MOST_SMALL = 0.05
"""Share of the objects that may be smaller than `SMALL` at the suggested size."""
MOST_ENLARGED = 4.0
"""An image enlarged further gains pixels only: one of its own is then a whole cell of P2."""
SHORT_SIDES = (256, 320, 400, 512, 640, 800, 1024, 1280)


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
    factors = network_sizes(sizes, config) / np.maximum(sizes, 1)
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
        hard, small: share of the objects whose side √(width · height) is below `HARD`, `SMALL`.
    """

    min_size: int
    max_size: int
    pixels: float
    enlarged: float
    hard: float
    small: float


@dataclass(frozen=True)
class SizeAdvice:
    """Image sizes side by side.

    Attributes:
        choices: from the smallest short side to the largest; the one in use is among them.
        used: the short side in use.
        suggested: the smallest at which few objects are small; None where nothing is to be said.
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
    choices = tuple(_choice(short, objects, sizes, config) for short in shorts)
    suggested, reason = _suggest(choices)
    return SizeAdvice(choices, config.min_size, suggested, reason)


def _choice(short: int, objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig) -> SizeChoice:
    longest = round(short * config.max_size / config.min_size)
    scaled = config.replace(min_size=short, max_size=longest)
    boxes = sides(network_boxes(objects, sizes, scaled))
    area, used = (np.median(np.prod(network_sizes(sizes, c), axis=1)) for c in (scaled, config))
    enlarged = np.median(network_sizes(sizes, scaled).min(1) / np.maximum(sizes.min(1), 1))
    return SizeChoice(
        short,
        longest,
        float(area / used),
        float(enlarged),
        float((boxes < HARD).mean()),
        float((boxes < SMALL).mean()),
    )


def _suggest(choices: Sequence[SizeChoice]) -> tuple[int, str]:
    for choice in choices:
        if choice.small <= MOST_SMALL:
            reason = f"{1 - choice.small:.0%} of the objects have {SMALL:g} pixels or more there"
            return choice.min_size, reason
    useful = [choice for choice in choices if choice.enlarged <= MOST_ENLARGED] or choices[:1]
    best = useful[-1]
    reason = (
        f"{best.small:.0%} of the objects stay below {SMALL:g} pixels even there, "
        "and more pixels show no more detail; think of tiles, or of a higher resolution"
        if best is not choices[-1]
        else f"{best.small:.0%} of the objects stay below {SMALL:g} pixels even there; "
        "think of cutting the images into tiles"
    )
    return best.min_size, reason
