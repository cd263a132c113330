"""Which found object stands for which true one: one table that every figure here is counted from.

COCO's rule (`evaluateImg` of pycocotools): the found objects of an image take their turns by score,
and each takes the free truth that it overlaps most; none below the IoU that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.overlaps import NEAR, Found, Pairs, Truths, read_overlaps
from kmaskrcnn.structures import Detections

FREE, IGNORED = -1, -2  # of `partner`: no truth, or an ignored one


@dataclass(frozen=True, eq=False)
class Matches:
    """The objects of a dataset, found and true, and who stands for whom.

    A threshold of score changes no match among those that stay: whoever is above it took its turn
    before those below. So this one table serves all thresholds.

    Attributes:
        class_names: the C that labels index.
        num_images: of the dataset.
        iou, iou_type: what a match needs at least, and of what ("mask" or "box").
        found: D found objects.
        truth: T true ones.
        pairs: those of them that overlap.
        partner: (D,) the truth, of its own class, that each found object stands for; -1: none, it
            is a false alarm; -2: an ignored truth, it does not count.
        partner_iou: (D,) IoU with it; 0 without one.
    """

    class_names: tuple[str, ...]
    num_images: int
    iou: float
    iou_type: str
    found: Found
    truth: Truths
    pairs: Pairs
    partner: np.ndarray
    partner_iou: np.ndarray

    @property
    def counted(self) -> np.ndarray:
        """(D,) bool: found objects that are right or wrong, not ignored."""
        return self.partner != IGNORED

    @property
    def right(self) -> np.ndarray:
        """(D,) bool: found objects that stand for a truth."""
        return self.partner >= 0

    def above(self, score: float | np.ndarray) -> np.ndarray:
        """(D,) bool: at least ``score``, one number or one for each class (C)."""
        least = np.broadcast_to(np.asarray(score, np.float64), (len(self.class_names),))
        return self.found.score >= least[self.found.label]


def match(
    dataset: Dataset,
    predictions: Iterable[tuple[int, Detections]],
    iou: float = 0.5,
    iou_type: str = "mask",
) -> Matches:
    """Matches what was found with what is there.

    Args:
        dataset: its samples' objects are the truth.
        predictions: index in the dataset and what was found there, in any order, one at a time. A
            missing index is an image where nothing was found.
        iou: that a match needs at least, 0.1 to 1.
        iou_type: "mask" or "box".

    Raises:
        ValueError: see `read_overlaps`; an IoU out of range.
    """
    if not NEAR <= iou <= 1:
        raise ValueError(f"iou: expected a number from {NEAR} to 1, got {iou}")
    found, truth, pairs = read_overlaps(dataset, predictions, iou_type)
    same_class = found.label[pairs.found] == truth.label[pairs.truth]
    partner, partner_iou = assign(found.score, truth.ignored, _of(pairs, same_class), iou)
    names = tuple(dataset.class_names)
    return Matches(
        names, len(dataset), iou, iou_type, found, truth, pairs, partner, partner_iou
    )  # fmt: skip


def match_any_class(matches: Matches, score: float | np.ndarray) -> np.ndarray:
    """Matches again, of what is above ``score``, whatever the classes: who was taken for whom.

    Only a crowd of an object's own class excuses it.

    Returns: (D,) as `Matches.partner`; -1 for what is below the score, too.
    """
    found, truth, pairs = matches.found, matches.truth, matches.pairs
    same_class = found.label[pairs.found] == truth.label[pairs.truth]
    usable = matches.above(score)[pairs.found] & (same_class | ~truth.ignored[pairs.truth])
    return assign(found.score, truth.ignored, _of(pairs, usable), matches.iou)[0]


def assign(
    scores: np.ndarray, ignored: np.ndarray, pairs: Pairs, iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """COCO's greedy rule over all images at once; images do not meet, as pairs are of one image.

    A truth is taken once. An ignored one excuses any number, but only those without another.

    Args:
        scores: (D,) of the found objects.
        ignored: (T,) bool.
        pairs: those that may match.
        iou: needed at least.

    Returns:
        (D,) truth, -1 or -2; (D,) IoU with the truth, 0 without one.
    """
    partner, partner_iou = np.full(len(scores), FREE), np.zeros(len(scores))
    pairs = _of(pairs, pairs.iou >= min(iou, 1 - 1e-10))
    # by turns; of one turn the largest IoU first, of equal ones the last truth, as in pycocotools
    order = np.lexsort((-pairs.truth, -pairs.iou, pairs.found, -scores[pairs.found]))
    columns = zip(*(column[order].tolist() for column in pairs), strict=True)
    taken, excused = set(), ignored.tolist()
    for found, truth, overlap in columns:
        if partner[found] >= 0 or truth in taken:
            continue
        if excused[truth]:
            partner[found] = IGNORED
        else:
            partner[found], partner_iou[found] = truth, overlap
            taken.add(truth)
    return partner, partner_iou


def _of(pairs: Pairs, rows: np.ndarray) -> Pairs:
    return Pairs(*(column[rows] for column in pairs))
