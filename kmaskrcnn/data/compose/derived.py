"""What a dataset that is made from another has in common with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kmaskrcnn.data.dataset import Dataset, Sample


class Derived:
    """A dataset made from another: what it does not know by itself, that one is asked.

    Attributes:
        dataset: the other.
        class_names: its classes.
        PASSED_ON: the optional members of the protocol (see ``Dataset``) that are the other's.
    """

    PASSED_ON: ClassVar[tuple[str, ...]] = ()

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.class_names: Sequence[str] = dataset.class_names

    def __getattr__(self, name: str) -> Any:
        if name in self.PASSED_ON:
            return getattr(self.dataset, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int, /) -> Sample:
        return self.dataset[index]


def described(dataset: Dataset) -> str:
    """A dataset in a line: its ``description``, or its type."""
    return str(getattr(dataset, "description", type(dataset).__name__))
