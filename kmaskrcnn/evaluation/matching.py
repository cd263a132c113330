"""Which found object stands for which true one: one table that every figure here is counted from.

COCO's rule (`evaluateImg` of pycocotools): the found objects of an image take their turns by score,
and each takes the free truth that it overlaps most; none below the IoU that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects, TrueObjects
from kmaskrcnn.evaluation.overlaps import NEAR, Pairs, find_pairs
from kmaskrcnn.evaluation.results import Predictions, read_found
from kmaskrcnn.evaluation.truth import Truth, read_truth

FREE, IGNORED = -1, -2  # of `partner`: no truth, or an ignored one


@dataclass(frozen=True, eq=False)
class Matches:
    """The objects of a dataset, found and true, and who stands for whom.

    A threshold of score changes no match among those that stay: whoever is above it took its turn
    before those below. So this one table serves all thresholds.

    Attributes:
        class_names: the C that labels index.
        sizes: height, width of each of the N images.
        iou, iou_type: what a match needs at least, and of what ("mask" or "box").
        found: D found objects; of equal scores those come first that COCO counts first.
        truth: T true ones.
        ignored: (T,) bool: a crowd, or an object without a mask where masks are compared. What is
            found there is neither right nor wrong.
        pairs: those of them that overlap.
        partner: (D,) the truth, of its own class, that each found object stands for; -1: none, it
            is a false alarm; -2: an ignored truth, it does not count.
        partner_iou: (D,) IoU with it; 0 without one.
    """

    class_names: tuple[str, ...]
    sizes: list[tuple[int, int]]
    iou: float
    iou_type: str
    found: FoundObjects
    truth: TrueObjects
    ignored: np.ndarray
    pairs: Pairs
    partner: np.ndarray
    partner_iou: np.ndarray

    @property
    def num_images(self) -> int:
        """Of the dataset."""
        return len(self.sizes)

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
        return self.found.scores >= least[self.found.labels]

    @property
    def found_areas(self) -> np.ndarray:
        """(D,) square pixels, of the mask or of the box."""
        areas = self.found.areas if self.iou_type == "box" else self.found.mask_areas
        return self.found.areas if areas is None else areas


def match(
    dataset: Dataset, predictions: Predictions, iou: float = 0.5, iou_type: str = "mask"
) -> Matches:
    """Matches what was found with what is there.

    Args:
        dataset: its samples' objects are the truth.
        predictions: see `Evaluator.evaluate`.
        iou: that a match needs at least, 0.1 to 1.
        iou_type: "mask" or "box".

    Raises:
        ValueError: see `Evaluator.evaluate`; an IoU out of range, no masks where masks are to be
            compared.
    """
    truth = read_truth(dataset)
    return match_columns(truth, read_found(predictions, dataset, truth), iou, iou_type)


def match_columns(
    truth: Truth, found: FoundObjects, iou: float = 0.5, iou_type: str = "mask"
) -> Matches:
    """The same of what an `Evaluator` has read."""
    _check(truth, found, iou, iou_type)
    order = np.argsort(truth.ranks[found.images], kind="stable")
    found = _reordered(found, order)
    objects = truth.objects
    ignored = objects.crowd | (~objects.has_mask if iou_type == "mask" else False)
    pairs = find_pairs(truth, found, ignored, iou_type)
    same_class = found.labels[pairs.found] == objects.labels[pairs.truth]
    partner, partner_iou = assign(found.scores, ignored, pairs.of(same_class), iou)
    return Matches(
        truth.class_names, truth.sizes, iou, iou_type, found, objects, ignored, pairs, partner,
        partner_iou,
    )  # fmt: skip


def _check(truth: Truth, found: FoundObjects, iou: float, iou_type: str) -> None:
    if iou_type not in ("mask", "box"):
        raise ValueError(f"iou_type: expected 'mask' or 'box', got {iou_type!r}")
    if not NEAR <= iou <= 1:
        raise ValueError(f"iou: expected a number from {NEAR} to 1, got {iou}")
    if iou_type == "box" and found.boxes is None:
        raise ValueError("expected boxes, as iou_type is 'box', and the predictions have none.")
    sides = {"the data": truth.has_masks, "the predictions": found.masks is not None}
    without = [side for side, has_masks in sides.items() if not has_masks]
    if iou_type == "mask" and without:
        raise ValueError(
            f"expected masks, as iou_type is 'mask', and {' and '.join(without)} have boxes only: "
            "compare by iou_type='box'."
        )


def _reordered(found: FoundObjects, order: np.ndarray) -> FoundObjects:
    columns: dict[str, Any] = {
        name: [column[i] for i in order] if isinstance(column, list) else column[order]
        for name, column in found._asdict().items()
        if column is not None
    }
    return found._replace(**columns)


def match_any_class(matches: Matches, score: float | np.ndarray) -> np.ndarray:
    """Matches again, of what is above ``score``, whatever the classes: who was taken for whom.

    Only a crowd of an object's own class excuses it.

    Returns: (D,) as `Matches.partner`; -1 for what is below the score, too.
    """
    found, truth, pairs = matches.found, matches.truth, matches.pairs
    same_class = found.labels[pairs.found] == truth.labels[pairs.truth]
    usable = matches.above(score)[pairs.found] & (same_class | ~matches.ignored[pairs.truth])
    return assign(found.scores, matches.ignored, pairs.of(usable), matches.iou)[0]


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
    pairs = pairs.of(pairs.iou >= min(iou, 1 - 1e-10))
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
