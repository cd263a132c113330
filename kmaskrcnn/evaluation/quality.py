"""How good the prediction of each image is, in one number, to find the best and the worst."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.evaluation.matching import Matches


def image_quality(matches: Matches, score: float | np.ndarray) -> np.ndarray:
    """(N,) panoptic quality of each image (Kirillov et al., 2019), all classes together.

    The IoU of what is right, summed, over TP + FP / 2 + FN / 2: 1 where every object is found with
    its very pixels, 0 where none is found. An image where nothing is and nothing is found has 1.

    Args:
        matches: of a dataset.
        score: least score of what counts as found, one number or one for each class (C).
    """
    above = matches.above(score)
    right = above & matches.right
    wrong = above & matches.counted & ~matches.right

    def count(images: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(images, weights, minlength=matches.num_images)

    overlap = count(matches.found.images[right], matches.partner_iou[right])
    hits, alarms = count(matches.found.images[right]), count(matches.found.images[wrong])
    missed = count(matches.truth.images[~matches.ignored]) - hits
    weight = hits + (alarms + missed) / 2
    return np.where(weight > 0, overlap / np.maximum(weight, 0.5), 1.0)
