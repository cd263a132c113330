"""Datasets out of memory: arrays, a function of the index, or whatever can be iterated over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError

KEYS = ("image", "labels", "masks", "boxes")


class FunctionDataset:
    """Samples that a function makes, each checked when it is asked for."""

    def __init__(
        self, function: Callable[[int], Any], class_names: Sequence[str], length: int, what: str
    ) -> None:
        """Describes them; ``what`` they are, for the description."""
        self.class_names = _checked_names(class_names)
        self.description = f"{what}: {length} images, {len(self.class_names)} classes"
        self._function, self._length = function, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int, /) -> Sample:
        if not -self._length <= index < self._length:
            raise IndexError(f"image {index} of {self._length}")
        index %= self._length
        return to_sample(self._function(index), self.class_names, index)


def from_arrays(
    images: Sequence[Any],
    labels: Sequence[Any],
    class_names: Sequence[str],
    masks: Sequence[Any] | None = None,
    boxes: Sequence[Any] | None = None,
) -> FunctionDataset:
    """A dataset of arrays that are in memory already; nothing is copied.

    Args:
        images: N arrays (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or paths; one array (N, H, W, 3)
            is fine, too.
        labels: for each image its n classes: names, or indices of ``class_names``.
        class_names: of all classes, without a background.
        masks: for each image (n, H, W), not 0 where the object is; or n arrays (H, W).
        boxes: for each image (n, 4), x1 y1 x2 y2 in pixels. None: the masks' own.

    Raises:
        DataError: lists of different lengths, and for every image another number of objects,
            shapes that do not fit, a label without a name, a box without an area.
    """
    given = {"image": images, "labels": labels, "masks": masks, "boxes": boxes}
    columns = {key: column for key, column in given.items() if column is not None}
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) != 1 or not lengths["image"]:
        shown = ", ".join(f"{length} of {key}" for key, length in lengths.items())
        raise DataError(f"arrays: expected an entry an image in each, at least one; got {shown}.")
    dataset = FunctionDataset(
        lambda index: {key: column[index] for key, column in columns.items()},
        class_names,
        len(images),
        "arrays",
    )
    for index in range(len(dataset)):
        dataset[index]  # refuses what does not fit now, not in an hour
    return dataset


def from_generator(
    source: Callable[[int], Any] | Iterable[Any],
    class_names: Sequence[str],
    length: int | None = None,
) -> FunctionDataset:
    """A dataset of what a function makes of an index, or of what an iterable gives.

    Args:
        source: ``function(index)`` for 0 … ``length`` − 1, which is called from several threads, in
            any order and in every epoch; or an iterable, which is gone through once and kept. Each
            sample is a ``Sample``, or ``{"image": …, "labels": …, "masks": …, "boxes": …}`` as
            ``from_arrays`` takes them (masks or boxes may be left out).
        class_names: of all classes, without a background.
        length: how many images; needed for a function.

    Raises:
        DataError: no length for a function, an iterable of another length, no image. What is wrong
            with a sample is said when it is asked for.
    """
    if callable(source):
        if length is None or length < 1:
            raise DataError(f"length={length}: a function needs the number of its images, from 1.")
        return FunctionDataset(source, class_names, length, "a function's samples")
    samples = list(source)
    if not samples or length not in (None, len(samples)):
        raise DataError(f"the iterable gave {len(samples)} samples, expected {length or 'some'}.")
    return FunctionDataset(samples.__getitem__, class_names, len(samples), "an iterable's samples")


def to_sample(given: Any, class_names: tuple[str, ...], index: int) -> Sample:
    """A sample out of what a user gives for an image.

    Raises:
        DataError: something else than a ``Sample`` or a dict, or parts that do not fit.
    """
    if isinstance(given, Sample):
        return given
    place = f"image {index}"
    if not isinstance(given, Mapping) or "image" not in given or set(given) - set(KEYS):
        found = sorted(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
        raise DataError(
            f"{place}: expected a Sample, or a dict with 'image', and some of "
            f"{', '.join(KEYS[1:])}, got {found}."
        )
    image = given["image"]
    if not isinstance(image, str | Path):
        image = np.asarray(image)
    labels = [_label(label, class_names, place) for label in given.get("labels", ())]
    masks = _masks(given.get("masks"), image, len(labels), place)
    boxes = _boxes(given.get("boxes"), len(labels), place)
    if labels and masks is None and boxes is None:
        raise DataError(f"{place}: {len(labels)} labels, but neither masks nor boxes.")
    nothing: list[Any] = [None] * len(labels)
    rows = zip(labels, masks or nothing, boxes or nothing, strict=True)
    instances = [
        Instance(label, mask, box, annotation_id=number)
        for number, (label, mask, box) in enumerate(rows)
    ]
    return Sample(image, instances, image_id=index)


def _label(label: Any, class_names: tuple[str, ...], place: str) -> int:
    """The index of a class that is given by its name or its index."""
    if isinstance(label, str) and label in class_names:
        return class_names.index(label)
    if isinstance(label, int | np.integer) and 0 <= label < len(class_names):
        return int(label)
    raise DataError(
        f"{place}: label {label!r}; expected a name of {list(class_names)[:10]}, or its index, "
        f"0 … {len(class_names) - 1}. The background has none."
    )


def _masks(given: Any, image: Any, count: int, place: str) -> list[np.ndarray] | None:
    if given is None:
        return None
    masks = [np.asarray(mask) for mask in given]
    shape = image.shape[:2] if isinstance(image, np.ndarray) else None
    shape = shape or (masks[0].shape if masks else None)
    if len(masks) != count or any(mask.shape != shape or mask.ndim != 2 for mask in masks):
        found = [mask.shape for mask in masks[:4]]
        raise DataError(
            f"{place}: {len(masks)} masks of shapes {found} for {count} labels; expected one each, "
            f"(height, width) = {shape}. Masks come first here: (n, height, width)."
        )
    return [mask.astype(bool, copy=False) for mask in masks]


def _boxes(given: Any, count: int, place: str) -> list[np.ndarray] | None:
    if given is None:
        return None
    boxes = np.asarray(given, np.float64).reshape(-1, 4) if len(given) else np.zeros((0, 4))
    sound = np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()
    if len(boxes) != count or not sound:
        raise DataError(
            f"{place}: boxes {np.round(boxes[:4], 2).tolist()} for {count} labels; expected one "
            "each, x1 y1 x2 y2 in pixels with x1 < x2 and y1 < y2."
        )
    return list(boxes)


def _checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    names = (class_names,) if isinstance(class_names, str) else tuple(map(str, class_names))
    if not names or len(set(names)) != len(names):
        raise DataError(f"class names {list(names)[:10]}: expected some, each once.")
    return names
