"""Classes of what is trained on beside those of what is validated on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ClassRow(NamedTuple):
    """A class in both parts, matched by its name.

    Attributes:
        name: of the class.
        train, validation: its objects; None where the part does not list the class.
        train_images, validation_images: images with one of them or more.
    """

    name: str
    train: int | None
    train_images: int | None
    validation: int | None
    validation_images: int | None

    @property
    def remark(self) -> str:
        """What is wrong with it; empty for nothing."""
        if not self.train and not self.validation:
            return "no object at all"
        if not self.train:
            return "nothing to learn it from"
        if not self.validation:
            return "not validated"
        return ""


Counts = tuple[Sequence[str], Sequence[int], Sequence[int]]  # names, objects, images of each class


def compare_classes(train: Counts, validation: Counts) -> list[ClassRow]:
    """A row for each class of either part, in the order of the first."""
    tables = [
        {name: (objects, images) for name, objects, images in zip(*part, strict=True)}
        for part in (train, validation)
    ]
    missing = (None, None)
    names = dict.fromkeys([*train[0], *validation[0]])
    return [
        ClassRow(name, *tables[0].get(name, missing), *tables[1].get(name, missing))
        for name in names
    ]
