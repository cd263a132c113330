"""What is wrong with each false alarm, and why each missed object was missed.

The kinds are those of TIDE (Bolya et al., 2020), told by the overlaps that are at hand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kmaskrcnn.evaluation.matching import Matches
from kmaskrcnn.evaluation.overlaps import Pairs

NOTHING, INEXACT, CLASS = "nothing there", "inexact", "wrong class"
TWICE, UNSURE, UNSEEN = "twice", "unsure", "not seen"


class Mistakes(NamedTuple):
    """False alarms and misses of a dataset at given thresholds.

    Attributes:
        alarms: (F,) index in `Matches.found`, of the highest score first.
        alarm_kinds: (F,) "twice": of an object that a better one has; "wrong class": on an object
            of another class; "inexact": on an object, but less than the IoU asked for; "nothing
            there".
        alarm_truth: (F,) the object meant, -1 for nothing there.
        misses: (M,) index in `Matches.truth`, of the largest area first.
        miss_kinds: (M,) "wrong class": a false alarm of another class is on it; "unsure": found,
            but below the threshold; "inexact": a false alarm is on it, less exact than asked for;
            "not seen": nothing else was found on it.
        miss_found: (M,) the found object of that kind, -1 for none.
    """

    alarms: np.ndarray
    alarm_kinds: np.ndarray
    alarm_truth: np.ndarray
    misses: np.ndarray
    miss_kinds: np.ndarray
    miss_found: np.ndarray


def find_mistakes(matches: Matches, score: float | np.ndarray) -> Mistakes:
    """Every false alarm and every miss at a threshold.

    Args:
        matches: of a dataset.
        score: least score of what counts as found, one number or one for each class (C).
    """
    above = matches.above(score)
    alarms = np.flatnonzero(above & matches.counted & ~matches.right)
    alarms = alarms[np.argsort(-matches.found.scores[alarms], kind="stable")]
    hit = np.zeros(len(matches.truth.labels), bool)
    hit[matches.partner[above & matches.right]] = True
    misses = np.flatnonzero(~hit & ~matches.ignored)
    misses = misses[np.argsort(-matches.truth.areas[misses], kind="stable")]
    alarm_kinds, alarm_truth = _explain_alarms(matches, alarms)
    miss_kinds, miss_found = _explain_misses(matches, misses, above)
    return Mistakes(alarms, alarm_kinds, alarm_truth, misses, miss_kinds, miss_found)


def _explain_alarms(matches: Matches, alarms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pairs = matches.pairs
    same = matches.found.labels[pairs.found] == matches.truth.labels[pairs.truth]
    enough, real = pairs.iou >= matches.iou, ~matches.ignored[pairs.truth]
    size = len(matches.found.labels)
    return _first_of(
        alarms,
        {
            TWICE: _best(pairs, pairs.found, pairs.truth, real & same & enough, size),
            CLASS: _best(pairs, pairs.found, pairs.truth, real & ~same & enough, size),
            INEXACT: _best(pairs, pairs.found, pairs.truth, real, size),
        },
        NOTHING,
    )


def _explain_misses(
    matches: Matches, misses: np.ndarray, above: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    pairs = matches.pairs
    same = matches.found.labels[pairs.found] == matches.truth.labels[pairs.truth]
    size = len(matches.truth.labels)
    low = ~above[pairs.found] & (matches.partner[pairs.found] == pairs.truth)
    alarm = (above & matches.counted & ~matches.right)[pairs.found]
    other = alarm & ~same & (pairs.iou >= matches.iou)
    return _first_of(
        misses,
        {
            CLASS: _best(pairs, pairs.truth, pairs.found, other, size),
            UNSURE: _best(pairs, pairs.truth, pairs.found, low, size),
            INEXACT: _best(pairs, pairs.truth, pairs.found, alarm, size),
        },
        UNSEEN,
    )


def _best(
    pairs: Pairs, of: np.ndarray, other: np.ndarray, usable: np.ndarray, size: int
) -> np.ndarray:
    """(size,) for each object the other of its usable pair of the highest IoU; -1 for none."""
    order = np.flatnonzero(usable)[np.argsort(pairs.iou[usable], kind="stable")]
    best = np.full(size, -1)
    best[of[order]] = other[order]  # of several values for a place the last one stays
    return best


def _first_of(
    rows: np.ndarray, kinds: dict[str, np.ndarray], otherwise: str
) -> tuple[np.ndarray, np.ndarray]:
    """The first kind that applies to each row, and with whom."""
    told, other = np.full(len(rows), otherwise, object), np.full(len(rows), -1)
    for kind, partners in reversed(kinds.items()):
        applies = partners[rows] >= 0
        told[applies], other[applies] = kind, partners[rows][applies]
    return told, other
