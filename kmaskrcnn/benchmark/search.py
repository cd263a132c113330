"""Which batch to try next on the way to the largest that fits into memory."""

from __future__ import annotations

import math
from collections.abc import Mapping

MOST = 1024  # images: no batch is larger
EXACT = 16  # from here on a sixteenth is near enough


def next_size(peaks: Mapping[int, float], failed: int | None, limit: float) -> int | None:
    """Doubled as long as it fits, then between what fits and what does not.

    Where the memory's growth is known, the batch that would just fit is tried instead, if it lies
    between.

    Args:
        peaks: batches that fit, and the bytes that each held at most.
        failed: the smallest that did not fit; None: none yet.
        limit: bytes that may be held; nan: unknown.

    Returns:
        Images, or None: it is found.
    """
    fits = max(peaks, default=0)
    if failed is not None and failed - fits <= max(1, fits // EXACT) or fits >= MOST:
        return None
    low, high = (fits + 1, failed - 1) if failed else (fits + 1, min(max(2 * fits, 1), MOST))
    guess = estimate(peaks, limit)
    if not math.isnan(guess) and guess <= high:
        return max(low, math.floor(guess))
    return (low + high) // 2 if failed else high


def estimate(peaks: Mapping[int, float], limit: float) -> float:
    """The batch that would reach the limit if memory grew on as between the two largest; or nan."""
    if len(peaks) < 2:
        return math.nan
    (small, before), (large, after) = sorted(peaks.items())[-2:]
    growth = (after - before) / (large - small)
    return large + (limit - after) / growth if growth > 0 else math.nan
