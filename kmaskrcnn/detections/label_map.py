"""One number a pixel: which object, or which class, is there."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.detections.objects import Objects


def label_map(found: Objects, of: str = "objects") -> np.ndarray:
    """(H, W) int32, 0 for the background; see `Detections.label_map`."""
    if of not in ("objects", "classes"):
        raise ValueError(f"label_map: expected 'objects' or 'classes', got {of!r}")
    numbers = found.labels + 1 if of == "classes" else np.arange(1, len(found) + 1)
    result = np.zeros(found.image_size, np.int32)
    for i in np.argsort(-found.scores, kind="stable")[::-1]:  # the best last, over the others
        left, top, right, bottom = (region := found.pixels(int(i))).window
        result[top:bottom, left:right][region.crop] = numbers[i]
    return result
