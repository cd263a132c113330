"""Lists of boxes compared as sets: NMS turns a rounding difference into another order."""

from __future__ import annotations

import numpy as np


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, 4), (M, 4) → (N, M): the largest of the four differences of each pair."""
    away = np.zeros((len(first), len(second)), np.float32)
    for side in range(4):
        np.maximum(away, np.abs(first[:, None, side] - second[None, :, side]), out=away)
    return away


def alone(first: np.ndarray, second: np.ndarray, limit: float) -> float:
    """Which share has no partner within the limit, of the first or of the second, the larger."""
    near = distances(first, second) <= limit
    if not near.size:
        return float(len(first) != len(second))
    return float(max(1 - near.any(1).mean(), 1 - near.any(0).mean()))
