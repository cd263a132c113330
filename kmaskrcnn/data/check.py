"""A look at the data before a training: what is in it, what was mended, do its parts fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kmaskrcnn.data.dataset import Dataset, count_classes, keypoint_names_of, side_by_side
from kmaskrcnn.data.errors import DataError


@dataclass(frozen=True)
class DataCheck:
    """What ``check`` found.

    Attributes:
        class_names: the classes, in the order of the labels.
        train, validation: objects of each class (C); ``validation`` is None where there is none.
        lines: what to know about each part: what it is, what was mended or left out.
    """

    class_names: tuple[str, ...]
    train: tuple[int, ...]
    validation: tuple[int, ...] | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines and the class table, as they are printed when a training starts."""
        columns = [("class", *self.class_names), ("train", *map(str, self.train))]
        if self.validation is not None:
            columns.append(("validation", *map(str, self.validation)))
        widths = [max(map(len, column)) for column in columns]
        rows = []
        for row in zip(*columns, strict=True):
            cells = [row[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            rows.append("  " + "  ".join(cells))
        return "\n".join([*self.lines, *rows])

    def __str__(self) -> str:
        return self.text


def check(
    train: Dataset,
    validation: Dataset | None = None,
    class_names: Sequence[str] | None = None,
    keypoint_names: Sequence[str] = (),
) -> DataCheck:
    """Counts the objects of each class and gathers what was mended.

    Args:
        train, validation: the parts; their classes are matched by name.
        class_names: those of the model; None: those of ``train``.
        keypoint_names: those of the model; none: keypoints of the data are not used.

    Raises:
        DataError: no images, no object to train on, a class that ``class_names`` lacks, or other
            keypoints than the model's: both lists are shown.
    """
    for part, dataset in (("train", train), ("validation", validation)):
        if keypoint_names and dataset is not None:
            _check_keypoints(keypoint_names_of(dataset), tuple(keypoint_names), part)
    names = tuple(class_names if class_names is not None else train.class_names)
    lines: list[str] = []
    counts = _count(train, names, "train", lines)
    if not any(counts):
        raise DataError(
            f"train: {len(train)} images without a single object. Check the annotations' path "
            "and format." + "".join(f"\n{line}" for line in lines[1:])
        )
    held_out = None if validation is None else _count(validation, names, "validation", lines)
    lines += [
        f"no object of class {n!r} to train on" for n, c in zip(names, counts, strict=True) if not c
    ][:10]
    return DataCheck(names, counts, held_out, tuple(lines))


def _check_keypoints(given: tuple[str, ...], expected: tuple[str, ...], part: str) -> None:
    if given != expected:
        raise DataError(
            f"{part}: the keypoints of the data do not fit.\n"
            f"  expected {len(expected)}: {', '.join(expected)}\n"
            f"  given    {len(given)}: {', '.join(given) or 'none'}\n"
            "A model with keypoints trains on data whose keypoint_names are its own, in its order."
        )


def _count(dataset: Dataset, names: Sequence[str], part: str, lines: list[str]) -> tuple[int, ...]:
    if len(dataset) == 0:
        raise DataError(f"{part}: the dataset is empty, at least one image is needed.")
    if any(name not in names for name in dataset.class_names):
        raise DataError(f"{part}: {side_by_side(names, dataset.class_names)}")
    counts, num_read = count_classes(dataset)
    description = getattr(
        dataset, "description", f"{type(dataset).__name__}: {len(dataset)} images"
    )
    lines.append(f"{part}: {description}")
    if num_read < len(dataset):
        lines.append(f"  (objects counted in {num_read} of the images)")
    report = getattr(dataset, "report", None)
    lines += [f"  {line}" for line in (report.lines() if report is not None else [])]
    by_name = dict(zip(dataset.class_names, counts, strict=True))
    return tuple(by_name.get(name, 0) for name in names)
