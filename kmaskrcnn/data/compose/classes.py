"""Other class names for a dataset: matched by name, renamed, merged, or fewer."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kmaskrcnn.data.compose.derived import Derived, described
from kmaskrcnn.data.dataset import Dataset, Sample, checked_label, side_by_side
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.lookups import labels_of_image, size_of_image


class Relabelled(Derived):
    """A dataset whose labels index another list of class names.

    Attributes:
        dataset: the one with the former names.
        class_names: the new ones.
        description: what it is, in a line.
    """

    PASSED_ON = ("report", "keypoint_names", "keypoint_skeleton", "repeats", "image_ids")

    def __init__(
        self,
        dataset: Dataset,
        class_names: Sequence[str],
        renamed: Mapping[str, str],
        description: str | None = None,
    ) -> None:
        """Describes the new names; nothing is read.

        Args:
            dataset: any.
            class_names: of the new dataset.
            renamed: former name → one of ``class_names``; objects of other classes are left out.
            description: None: the dataset's.
        """
        super().__init__(dataset)
        self.class_names = tuple(class_names)
        place = {name: label for label, name in enumerate(self.class_names)}
        new_names = [renamed.get(name) for name in dataset.class_names]
        self._labels = [None if name is None else place[name] for name in new_names]
        self.description = description or described(dataset)

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The file's id of each class, of a merged one the first; where each class has one."""
        return self._of_classes("category_ids")

    @property
    def frequencies(self) -> tuple[str, ...]:
        """How frequent each class is, a merged one as its first; where the dataset says so."""
        return self._of_classes("frequencies")

    def _of_classes(self, name: str) -> tuple[Any, ...]:
        given = getattr(self.dataset, name)
        former = dict(reversed(list(zip(self._labels, given, strict=True))))
        if not set(range(len(self.class_names))) <= set(former):
            raise AttributeError(f"{name}: a class that the dataset does not have")
        return tuple(former[label] for label in range(len(self.class_names)))

    @property
    def class_counts(self) -> Callable[[], list[int]]:
        """Objects of each class of the new list, where the dataset counts its own."""
        count = self.dataset.class_counts  # type: ignore[attr-defined]
        return lambda: self._sums(count())

    def _sums(self, former: Sequence[int]) -> list[int]:
        counts = [0] * len(self.class_names)
        for label, number in zip(self._labels, former, strict=True):
            if label is not None:
                counts[label] += number
        return counts

    def image_labels(self, index: int) -> list[int]:
        """The labels of an image's objects."""
        labels = (self._labels[label] for label in labels_of_image(self.dataset, index))
        return [label for label in labels if label is not None]

    def image_size(self, index: int) -> tuple[int, int]:
        """The (height, width) of an image."""
        return size_of_image(self.dataset, index)

    def __getitem__(self, index: int, /) -> Sample:
        sample = self.dataset[index]
        former = [checked_label(i, len(self._labels), sample.name) for i in sample.instances]
        labels = [self._labels[label] for label in former]
        instances = [
            replace(instance, label=label)
            for instance, label in zip(sample.instances, labels, strict=True)
            if label is not None
        ]
        if sample.absent is None:
            return replace(sample, instances=instances)
        absent, incomplete = self._looked_for(sample)
        return replace(sample, instances=instances, absent=absent, incomplete=incomplete)

    def _looked_for(self, sample: Sample) -> tuple[set[int], set[int]]:
        """Labels that are absent, with all that were merged into them, and those incomplete."""
        sought = set(range(len(self._labels))) - set(sample.absent or ())
        absent = {self._labels[label] for label in sample.absent or ()}
        incomplete = {self._labels[label] for label in sample.incomplete}
        unclear = {self._labels[label] for label in sought}
        return _numbers(absent - unclear), _numbers(incomplete)


def _numbers(labels: Iterable[int | None]) -> set[int]:
    return {label for label in labels if label is not None}


def align(dataset: Dataset, class_names: Sequence[str]) -> Dataset:
    """``dataset`` with its labels turned, by name, into indices of ``class_names``.

    Raises:
        DataError: the dataset has a class that ``class_names`` lacks; both lists are shown.
    """
    if tuple(dataset.class_names) == tuple(class_names):
        return dataset
    if not set(dataset.class_names) <= set(class_names):
        raise DataError(side_by_side(class_names, dataset.class_names))
    return Relabelled(dataset, class_names, {name: name for name in dataset.class_names})


def select_classes(dataset: Dataset, names: Iterable[str]) -> Dataset:
    """``dataset`` with these classes only, in this order.

    Objects of other classes are left out. Their images stay, without those objects: they show what
    none of the classes is.

    Raises:
        DataError: a name that the dataset does not have; the nearest are shown.
    """
    names = tuple(dict.fromkeys(names))
    _check_known(dataset, names)
    if not names:
        raise DataError("no class is selected; expected one name or more.")
    text = f"the classes {', '.join(names)} of: {described(dataset)}"
    return Relabelled(dataset, names, {name: name for name in names}, text)


def rename_classes(dataset: Dataset, new_names: Mapping[str, str]) -> Dataset:
    """``dataset`` with other names; classes that come to one name are merged.

    Args:
        dataset: any.
        new_names: old name → new name, as ``{"lorry": "truck", "van": "truck"}``; a new name may be
            one that the dataset has already. Classes that are not named stay as they are.

    Raises:
        DataError: an old name that the dataset does not have; the nearest are shown.
    """
    _check_known(dataset, new_names)
    renamed = {name: new_names.get(name, name) for name in dataset.class_names}
    changes = ", ".join(f"{old} → {new}" for old, new in new_names.items())
    text = f"{changes} in: {described(dataset)}"
    return Relabelled(dataset, tuple(dict.fromkeys(renamed.values())), renamed, text)


def _check_known(dataset: Dataset, names: Iterable[str]) -> None:
    known = list(dataset.class_names)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=3) or known[:20]
            raise DataError(
                f"there is no class {name!r} in: {described(dataset)}; did you mean "
                f"{', '.join(map(repr, near))}?"
            )
