"""Pictures of truth and predictions of a dataset, to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.pictures import draw_sample, short_name
from kmaskrcnn.ops import drawing
from kmaskrcnn.structures import Detections


def prediction_sheet(
    dataset: Dataset,
    predictions: Iterable[tuple[int, Detections]],
    *,
    truth: bool = True,
    limit: int = 12,
    columns: int = 4,
    cell_size: int = 400,
) -> np.ndarray:
    """One sheet of the first predictions, each beside its truth.

    Colours stand for classes, or for objects where there is one class only. More than a dozen
    objects of an image are not captioned one by one: a legend names their classes.

    Args:
        dataset: images and truth.
        predictions: index in the dataset and what was found there (filter by score before).
        truth: whether the truth stands to the left of each prediction.
        limit: images at most.
        columns: images in a row, predictions only; half as many where the truth is shown too.
        cell_size: pixels of a picture's longer side.

    Returns: (H, W, 3) uint8 RGB.
    """
    pictures: list[np.ndarray] = []
    texts: list[str] = []
    one_class = len(dataset.class_names) == 1
    color_by = "instance" if one_class else "class"
    named: dict[str, Any] = {
        "keypoint_names": keypoint_names_of(dataset),
        "keypoint_skeleton": getattr(dataset, "keypoint_skeleton", ()),
    }
    for index, found in islice(predictions, limit):
        sample = dataset[index]
        few = max(len(found), len(sample.instances)) <= 12
        how: dict[str, Any] = {
            "color_by": color_by,
            "captions": True if few else not one_class and "legend",
            "long_side": cell_size,
        }
        if truth:
            pictures.append(draw_sample(sample, dataset.class_names, **how, **named))
            texts.append(f"truth, {len(sample.instances)}: {short_name(sample)}")
        pictures.append(found.draw(sample.read(), **how))
        texts.append(f"found, {len(found)}: " * truth + short_name(sample))
    per_row = 2 * max(1, columns // 2) if truth else columns
    height = max((p.shape[0] for p in pictures), default=cell_size)
    return drawing.contact_sheet(pictures, texts, columns=per_row, cell_size=(height, cell_size))


def showcase(dataset: Dataset, limit: int, *, read: int = 60) -> list[int]:
    """The images of a dataset to look at again and again: with objects, of many classes.

    Args:
        dataset: of it at most ``read`` samples are read, evenly spread.
        limit: images at most.

    Returns: places in the dataset, in its order; always the same. Images without objects are among
        them only where nothing else is.
    """
    places = spread(range(len(dataset)), read)
    labels = {place: {i.label for i in dataset[place].instances} for place in places}
    left = [place for place in places if labels[place]] or places
    chosen: list[int] = []
    seen: set[int] = set()
    while left and len(chosen) < limit:
        best = max(left, key=lambda place: len(labels[place] - seen))
        if labels[best] <= seen:  # nothing new anywhere
            return sorted(chosen + spread(left, limit - len(chosen)))
        chosen.append(best)
        left.remove(best)
        seen |= labels[best]
    return sorted(chosen)


def spread(places: Sequence[int], limit: int) -> list[int]:
    """Evenly chosen ones, at most so many, the first among them."""
    step = max(1.0, len(places) / max(1, limit))
    return [places[int(i * step)] for i in range(min(limit, len(places)))]
