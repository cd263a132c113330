"""Which class was taken for which, and what was missed or found where nothing is."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.evaluation.matching import FREE, Matches, match_any_class


def confusion_matrix(matches: Matches, score: float | np.ndarray = 0.5) -> np.ndarray:
    """True classes by found classes, counted over the dataset.

    Objects are matched whatever their class, by score and by the IoU of ``matches``; what crowds
    excuse is left out.

    Args:
        matches: of a dataset.
        score: least score of what counts as found, one number or one for each class (C).

    Returns:
        (C + 1, C + 1) int64. Row: the true class; column: the found one; the last of each is the
        background: that column holds what was missed, that row the false alarms.
    """
    partner = match_any_class(matches, score)
    found = matches.above(score)
    classes = len(matches.class_names)
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    matched = partner >= 0
    pairs = matches.truth.labels[partner[matched]], matches.found.labels[matched]
    np.add.at(matrix, pairs, 1)
    alarms = matches.found.labels[found & (partner == FREE)]
    matrix[classes, :classes] = np.bincount(alarms, minlength=classes)
    missed = ~matches.ignored
    missed[partner[matched]] = False
    matrix[:classes, classes] = np.bincount(matches.truth.labels[missed], minlength=classes)
    return matrix
