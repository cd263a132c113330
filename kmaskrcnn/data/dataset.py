"""What a dataset is: the protocol that a user implements in ten lines, and what a sample holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.images import read_image

Mask = Sequence[np.ndarray] | Mapping[str, Any] | np.ndarray | None


@dataclass(frozen=True, eq=False)
class Instance:
    """One object of an image, in pixels of the original image.

    Attributes:
        label: index into the dataset's ``class_names``, 0 … C−1.
        mask: polygons (a list of (P, 2) arrays of x, y; their union), a COCO run-length code
            (``{"size": (height, width), "counts": …}``, compressed or not), a bool array (H, W), or
            None where only the box is known.
        box: x1 y1 x2 y2, continuous pixels; None: the mask's own.
        crowd: a region of many objects that were not told apart; neither a positive nor a negative.
        area: in pixels, as the file says (COCO's AP by size asks for it); None: the mask's own.
        annotation_id: the file's, for messages and for evaluation.
        keypoints: (J, 3) x, y in continuous pixels, visibility (0 not labelled, 1 hidden, 2
            visible), one for each of the dataset's ``keypoint_names``; None: none is labelled.
        difficult: hard to tell, as Pascal VOC marks it: VOC's AP ignores it, all else does not.
    """

    label: int
    mask: Mask = None
    box: Sequence[float] | np.ndarray | None = None
    crowd: bool = False
    area: float | None = None
    annotation_id: int | str | None = None
    keypoints: np.ndarray | None = None
    difficult: bool = False


@dataclass(frozen=True, eq=False)
class Sample:
    """An image and its objects.

    Attributes:
        image: a path, or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).
        instances: its objects; none at all is fine, such an image is trained on, too.
        image_id: the file's; None: the index in the dataset.
        size: (height, width) as the annotation says; None: as the image says.
        source: where its annotation is, for messages: a file, and what in it.
        void: pixels that Cityscapes' AP leaves out: the car that took the picture, what lies
            outside of it. All else does not look at it.
        absent: labels that are known not to be in the image, where others were not looked for
            (LVIS); None: every class was looked for.
        incomplete: labels of which not every object is annotated (LVIS).
    """

    image: str | Path | np.ndarray
    instances: Sequence[Instance] = field(default=())
    image_id: int | str | None = None
    size: tuple[int, int] | None = None
    source: str | None = None
    void: Mask = None
    absent: Collection[int] | None = None
    incomplete: Collection[int] = ()

    def read(self) -> np.ndarray:
        """The image as (H, W, 3) uint8 RGB, of the annotated size.

        Raises:
            DataError: see ``read_image``; the message names the annotation, too.
        """
        try:
            return read_image(self.image, self.size, self.name)
        except DataError as error:
            if self.source is None:
                raise
            raise DataError(f"{error} Its annotation: {self.source}.") from error

    def true_size(self) -> tuple[int, int]:
        """(height, width): as the annotation says, or as the image is, which is read for that."""
        if self.size is not None:
            return int(self.size[0]), int(self.size[1])
        pixels = self.image if isinstance(self.image, np.ndarray) else self.read()
        return int(pixels.shape[0]), int(pixels.shape[1])

    @property
    def name(self) -> str:
        """How messages call this image: its path, or its id."""
        return f"image {self.image_id}" if isinstance(self.image, np.ndarray) else str(self.image)


@runtime_checkable
class Dataset(Protocol):
    """Anything with class names, a length and samples by index.

    ``__getitem__`` is called from several threads. Optional, used where present: ``category_ids``
    (the file's id of each class, for COCO results), ``class_counts()`` (objects of each class,
    without reading the samples), ``report`` and ``description``; for keypoints ``keypoint_names``
    (J names, those of a pair differing by ``left`` and ``right``) and ``keypoint_skeleton`` (pairs
    of their indices, from 0, that a drawing joins); ``repeats`` (how often each image is seen in an
    epoch of a training, on average; see ``repeat_factor``); ``frequencies`` ("r", "c" or "f" of
    each class, as LVIS calls what is rare, common or frequent); ``image_ids`` (of all images),
    ``image_labels(index)`` (of an image's objects) and ``image_size(index)`` (height, width), for
    those who need no more than that.
    """

    @property
    def class_names(self) -> Sequence[str]:
        """The names that labels index."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


def keypoint_names_of(dataset: Dataset) -> tuple[str, ...]:
    """The dataset's ``keypoint_names``; empty where it has no keypoints."""
    return tuple(getattr(dataset, "keypoint_names", ()))


def side_by_side(expected: Sequence[str], given: Sequence[str]) -> str:
    """The message about two class lists that do not fit, as a table."""
    return (
        f"the classes of the data do not fit: {len(expected)} expected, {len(given)} given.\n"
        f"{class_table(expected, given)}\n"
        "Rename the classes in the annotations, or train a model with these class names."
    )


def class_table(expected: Sequence[str], given: Sequence[str]) -> str:
    """Two class lists side by side, a line a class; what is given and not expected is marked."""
    width = max([len(str(name)) for name in expected] + [len("expected")])
    rows = [f"  {'expected':{width}}  given"]
    for i in range(max(len(expected), len(given))):
        left = expected[i] if i < len(expected) else "–"
        right = given[i] if i < len(given) else "–"
        unknown = "" if i >= len(given) or right in expected else "  ← unknown"
        rows.append(f"  {left:{width}}  {right}{unknown}")
    return "\n".join(rows)


def count_classes(dataset: Dataset, limit: int = 2000) -> tuple[list[int], int]:
    """Counts the objects of each class.

    Args:
        dataset: counts itself where it has ``class_counts()``; else its samples are read, at most
            ``limit``, evenly spread.

    Returns:
        The counts (C), and the number of images that they were taken from.
    """
    if hasattr(dataset, "class_counts"):
        return list(dataset.class_counts()), len(dataset)
    counts = [0] * len(dataset.class_names)
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).astype(int))
    for index in indices:
        for instance in dataset[int(index)].instances:
            counts[checked_label(instance, len(counts), f"sample {index}")] += 1
    return counts, len(indices)


def checked_label(instance: Instance, num_classes: int, place: str) -> int:
    """The label, which must index the class names."""
    if not 0 <= instance.label < num_classes:
        raise DataError(
            f"{place}: label {instance.label} of annotation {instance.annotation_id}, but there "
            f"are {num_classes} class names: a label is their index, 0 … {num_classes - 1}, and "
            "the background has none."
        )
    return int(instance.label)


def get_sample(dataset: Dataset, index: int) -> Sample:
    """``dataset[index]``, with the index in the message when the dataset fails.

    Raises:
        DataError: whatever the dataset raised, or something else than a ``Sample`` came.
    """
    try:
        sample = dataset[index]
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"sample {index} of {type(dataset).__name__}: __getitem__ raised "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(sample, Sample):
        raise DataError(
            f"sample {index} of {type(dataset).__name__}: __getitem__ returned "
            f"{type(sample).__name__}, expected kmaskrcnn.data.Sample."
        )
    return sample
