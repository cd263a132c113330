"""What single operations are timed on: drawn by NumPy from a seed, in every Python the same."""

from __future__ import annotations

import numpy as np

SIZE = (800, 1088)  # of the image: height, width
STRIDES = (4, 8, 16, 32, 64)
CHANNELS = 256
NUM_CLASSES = 80


def pyramid() -> list[np.ndarray]:
    """Features of one image, (1, H, W, 256) float32 a level, finest first."""
    random = np.random.default_rng(0)
    sizes = [tuple(-(-side // stride) for side in SIZE) for stride in STRIDES]
    return [random.standard_normal((1, *size, CHANNELS), np.float32) for size in sizes]


def boxes(count: int, seed: int = 0) -> np.ndarray:
    """(count, 4) of 16 to 1,000 pixels, as many of each order of magnitude, in the image."""
    random = np.random.default_rng(seed)
    sides = np.exp(random.uniform(np.log(16), np.log(1000), (count, 1)))
    sides = sides * np.exp(random.uniform(-0.35, 0.35, (count, 2)))
    centres = random.uniform(0, SIZE[::-1], (count, 2))
    corners = np.concatenate([centres - sides / 2, centres + sides / 2], 1)
    return np.clip(corners, 0, np.tile(SIZE[::-1], 2)).astype(np.float32)


def candidates() -> tuple[np.ndarray, np.ndarray]:
    """Ten boxes on each of 100 places (1000, 4), and their scores (1000, 80).

    Each box's place has a class of high scores, and three boxes in ten another one.
    """
    random = np.random.default_rng(0)
    around = np.repeat(boxes(100), 10, 0)
    sides = np.tile(around[:, 2:] - around[:, :2], 2)
    scores = np.zeros((1000, NUM_CLASSES), np.float32)
    scores[np.arange(1000), np.repeat(random.integers(NUM_CLASSES, size=100), 10)] = random.uniform(
        0.1, 1, 1000
    )
    others = random.permutation(1000)[:300]
    scores[others, random.integers(NUM_CLASSES, size=300)] = random.uniform(0.06, 0.3, 300)
    return (around + 0.1 * sides * random.uniform(-1, 1, (1000, 4))).astype(np.float32), scores


def masks() -> tuple[np.ndarray, np.ndarray]:
    """100 boxes, and on each an ellipse's probabilities (100, 28, 28)."""
    grid = np.linspace(-1, 1, 28)
    ellipse = 1 / (1 + np.exp(8 * (grid[:, None] ** 2 + grid**2 - 0.8)))
    return boxes(100), np.repeat(ellipse[None].astype(np.float32), 100, 0)


def proposals() -> np.ndarray:
    """(2, 2000, 4)."""
    return np.stack([boxes(2000, seed) for seed in (1, 2)])
