"""What is left of objects when something lies over them."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.data.encode import Truths
from kmaskrcnn.data.rle import Window, array_window


def cover(truths: Truths, covered: np.ndarray, min_visible: float) -> Truths:
    """The objects without what is covered.

    Masks lose the covered pixels. Of a box only the sides move that the mask has left; a box
    without a mask stays as long as enough of it can be seen. Covered keypoints that were visible
    are hidden, as COCO marks them (1).

    Args:
        truths: of one image.
        covered: (h, w) bool, where nothing of them can be seen.
        min_visible: share of an object that must still be seen, or it is left out.
    """
    boxes, masks, kept = truths.boxes.copy(), list(truths.masks), []
    for i, (window, crop) in enumerate(truths.masks):
        if not crop.size:
            share = 1 - _part(covered, _around(boxes[i], covered.shape)).mean()
        else:
            hidden = _part(covered, window)
            share = 1 - (crop & hidden).sum() / crop.sum()
            if 0 < share < 1:
                masks[i] = _visible(window, crop & ~hidden)
                boxes[i] = _tightened(boxes[i], window, masks[i][0])
        if share > 0 and share >= min_visible:
            kept.append(i)
    return Truths(
        boxes[kept],
        truths.labels[kept],
        truths.crowd[kept],
        [masks[i] for i in kept],
        _hidden(truths.keypoints[kept], covered),
    )


def _part(covered: np.ndarray, window: Window) -> np.ndarray:
    left, top, right, bottom = window
    return covered[top:bottom, left:right]


def _around(box: np.ndarray, size: tuple[int, ...]) -> Window:
    """The pixels that a box touches, at least one."""
    height, width = size
    left, top = min(int(box[0]), width - 1), min(int(box[1]), height - 1)
    right, bottom = (int(value) for value in np.ceil(box[2:]))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _visible(window: Window, crop: np.ndarray) -> tuple[Window, np.ndarray]:
    (left, top, right, bottom), part = array_window(crop)
    x, y = window[:2]
    return (left + x, top + y, right + x, bottom + y), part


def _tightened(box: np.ndarray, before: Window, after: Window) -> np.ndarray:
    """A side stays where it was, between pixels, as long as the mask reaches as far as before."""
    return np.where(np.equal(before, after), box, np.asarray(after, box.dtype))


def _hidden(keypoints: np.ndarray, covered: np.ndarray) -> np.ndarray:
    x, y = (keypoints[..., i].astype(int) for i in (0, 1))
    height, width = covered.shape
    lies_under = covered[np.minimum(y, height - 1), np.minimum(x, width - 1)]
    result = keypoints.copy()
    result[..., 2] = np.where(lies_under, np.minimum(result[..., 2], 1), result[..., 2])
    return result
