"""A dataset in two parts that both know every class."""

from __future__ import annotations

from collections import Counter

import numpy as np

from kmaskrcnn.data.compose.derived import described
from kmaskrcnn.data.compose.subset import Subset
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.lookups import labels_of


def split(dataset: Dataset, fraction: float, seed: int = 0) -> tuple[Subset, Subset]:
    """Two parts, by image, to train on and to validate with; the same for the same seed.

    Stratified (Sechidis et al., 2011): the rarest class is dealt first, so that each class has
    about ``fraction`` of its images in the second part. A class with two images or more is in both
    parts, even where that makes the second larger than asked for (unless classes share so many
    images that it cannot be done); one with a single image is trained on.

    Args:
        dataset: its samples are asked for once each; only their labels are kept.
        fraction: of the images in the second part, between 0 and 1.
        seed: other seeds deal otherwise.

    Returns:
        The first part and the second, each in the dataset's order.

    Raises:
        DataError: fewer than two images.
        ValueError: a fraction that is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ValueError(
            f"fraction={fraction}: expected the share of images to validate with, between 0 and "
            "1, such as 0.2."
        )
    if len(dataset) < 2:
        raise DataError(
            f"{len(dataset)} images cannot be split; two are needed, one to train on and one to "
            "validate with."
        )
    labels = labels_of(dataset)
    held_out = _deal([set(row) for row in labels], fraction, seed)
    parts = []
    for part in (False, True):
        indices = [index for index in range(len(dataset)) if held_out[index] == part]
        count = f"{len(indices)} of {len(dataset)} images"
        text = f"{count} (split {fraction:g}, seed {seed}): {described(dataset)}"
        parts.append(Subset(dataset, indices, text, [labels[index] for index in indices]))
    return parts[0], parts[1]


def _deal(classes: list[set[int]], fraction: float, seed: int) -> list[bool]:
    """Which images are held out, given the classes on each."""
    order = np.random.default_rng(seed).permutation(len(classes)).tolist()
    place = {index: number for number, index in enumerate(order)}
    deal = _Deal(classes)
    for label in sorted(deal.images, key=lambda label: (len(deal.images[label]), label)):
        total = len(deal.images[label])
        wanted = max(round(fraction * total), 1) if total > 1 else 0
        for index in sorted(deal.images[label], key=place.__getitem__):
            if index not in deal.parts:
                part = deal.taken[True][label] < wanted
                turned = deal.gaps_if(index, part) > deal.gaps_if(index, not part)
                deal.put(index, part != turned)
    rest = [index for index in order if index not in deal.parts]
    for number, index in enumerate(rest):
        deal.put(index, number < round(fraction * len(rest)))
    deal.mend()
    return _both([deal.parts[index] for index in range(len(classes))], order)


class _Deal:
    """Images dealt into two parts; a class that lacks in one, though it could be there, is a gap.

    Attributes:
        images: label → the images it is on.
        parts: image → whether it is held out; those dealt so far.
        taken: part → label → its images there.
    """

    def __init__(self, classes: list[set[int]]) -> None:
        self.classes = classes
        self.images: dict[int, list[int]] = {}
        for index, row in enumerate(classes):
            for label in sorted(row):
                self.images.setdefault(label, []).append(index)
        self.parts: dict[int, bool] = {}
        self.taken: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}

    def put(self, index: int, part: bool) -> None:
        """Deals an image, or deals it anew."""
        if index in self.parts:
            self.taken[self.parts[index]].subtract(self.classes[index])
        self.parts[index] = part
        self.taken[part].update(self.classes[index])

    def gaps_if(self, index: int, part: bool) -> int:
        """Classes that the other part could not have any more if ``part`` had the image."""
        taken, row = self.taken[part], self.classes[index]
        return sum(taken[c] + 1 >= len(self.images[c]) > 1 for c in row)

    def mend(self) -> None:
        """Turns one image, or two, wherever that closes a gap and opens none."""
        for label in sorted(self.images):
            if not self._gaps({label}):
                continue
            for first in self.images[label]:
                near = {i for c in self.classes[first] for i in self.images[c]} - {first}
                if any(
                    self._turn({first, *other}) for other in [(), *((i,) for i in sorted(near))]
                ):
                    break

    def _turn(self, indices: set[int]) -> bool:
        """Turns images if that leaves fewer gaps."""
        labels = {label for index in indices for label in self.classes[index]}
        before = self._gaps(labels)
        for index in indices:
            self.put(index, not self.parts[index])
        if self._gaps(labels) < before:
            return True
        for index in indices:
            self.put(index, not self.parts[index])
        return False

    def _gaps(self, labels: set[int]) -> int:
        several = [label for label in labels if len(self.images[label]) > 1]
        return sum(not self.taken[part][label] for label in several for part in (False, True))


def _both(held_out: list[bool], order: list[int]) -> list[bool]:
    """No part is left without an image."""
    if len(set(held_out)) == 1:
        held_out[order[-1]] = not held_out[order[-1]]
    return held_out
