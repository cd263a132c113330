"""What a verb works on: places that are joined, with their classes renamed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kmaskrcnn.data import Dataset, concatenate, load, rename_classes


def joined(
    place: str,
    images: Path | None = None,
    add: Sequence[str] = (),
    rename: Sequence[str] = (),
    skip_broken: bool = False,
) -> Dataset:
    """The data at ``place``, and what is added to it.

    Args:
        place, images, skip_broken: see ``data.load``.
        add: more places.
        rename: ``OLD=NEW``, names of classes.
    """
    first = load(place, images=images, skip_broken=skip_broken)
    rest = [load(other, skip_broken=skip_broken) for other in add]
    return renamed(concatenate(first, *rest) if rest else first, rename)


def renamed(dataset: Dataset, rename: Sequence[str]) -> Dataset:
    """The dataset with the names of ``OLD=NEW``."""
    names = dict(text.split("=", 1) for text in rename)
    return rename_classes(dataset, names) if names else dataset
