"""Pictures of truth and predictions of a dataset, to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Dataset, Sample, keypoint_names_of
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.keypoints import checked_keypoints
from kmaskrcnn.data.rle import decode_window
from kmaskrcnn.evaluation.truth import instance_rle
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.regions import Region, resize
from kmaskrcnn.ops.skeletons import Skeletons
from kmaskrcnn.ops.styles import AUTO, choose_style, legend_rows
from kmaskrcnn.structures import Detections


def draw_sample(
    sample: Sample,
    class_names: Sequence[str],
    *,
    color_by: str = AUTO,
    captions: bool | str = AUTO,
    long_side: int | None = None,
    keypoint_names: Sequence[str] = (),
    keypoint_skeleton: Sequence[tuple[int, int]] = (),
) -> np.ndarray:
    """A sample's image with its objects on it, as ``Detections.draw`` draws what was found.

    Args:
        sample: image and truth; crowds are captioned ``person (crowd)``.
        class_names: the dataset's.
        color_by: ``"instance"``, ``"class"`` or ``"auto"``, as for ``Detections.draw``.
        captions: True, False, ``"legend"`` or ``"auto"``, as there.
        long_side: pixels of the picture's longer side; None for the image's own.
        keypoint_names, keypoint_skeleton: the dataset's; without names no keypoints are drawn.

    Returns: (H, W, 3) uint8 RGB.
    """
    image = read_image(sample.image, sample.size, sample.name)
    size = image.shape[:2]
    shown = image if long_side is None else drawing.fit(image, (long_side, long_side))
    factors = np.divide(shown.shape[1::-1], size[::-1])
    regions, boxes, texts = [], [], []
    for instance in sample.instances:
        rle = instance_rle(instance, size)
        regions.append(resize(Region(*decode_window(rle)), size, shown.shape[:2]))
        x, y, width, height = coco_mask.toBbox(rle)
        box = [x, y, x + width, y + height] if instance.box is None else instance.box
        boxes.append(np.asarray(box) * np.tile(factors, 2))
        texts.append(class_names[instance.label] + (" (crowd)" if instance.crowd else ""))
    labels = [instance.label for instance in sample.instances]
    style = choose_style(labels, has_masks=True, color_by=color_by, captions=captions)
    return drawing.draw_instances(
        shown,
        np.array(boxes),
        region_of=regions.__getitem__,
        captions=texts if style.captions else None,
        legend=legend_rows(texts, style.color_by) if style.legend else (),
        colors=drawing.colors_of(labels, style.color_by),
        outline_boxes=style.boxes,
        skeletons=_skeletons(sample, factors, tuple(keypoint_names), tuple(keypoint_skeleton)),
    )


def _skeletons(
    sample: Sample,
    factors: np.ndarray,
    names: tuple[str, ...],
    bones: tuple[tuple[int, int], ...],
) -> Skeletons | None:
    if not names:
        return None
    points = [checked_keypoints(i, names, sample.name) for i in sample.instances]
    keypoints = np.array(points).reshape(-1, len(names), 3) * [*factors, 1]
    return Skeletons(keypoints.astype(np.float32), names, bones)


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
            texts.append(f"truth, {len(sample.instances)}: {_short_name(sample)}")
        pictures.append(found.draw(read_image(sample.image, sample.size, sample.name), **how))
        texts.append(f"found, {len(found)}: " * truth + _short_name(sample))
    per_row = 2 * max(1, columns // 2) if truth else columns
    height = max((p.shape[0] for p in pictures), default=cell_size)
    return drawing.contact_sheet(pictures, texts, columns=per_row, cell_size=(height, cell_size))


def _short_name(sample: Sample) -> str:
    if isinstance(sample.image, np.ndarray):
        return sample.name
    return Path(sample.image).name
