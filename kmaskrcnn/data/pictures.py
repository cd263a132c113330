"""A dataset's images with their objects on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.keypoints import checked_keypoints
from kmaskrcnn.data.rle import decode_window, instance_rle
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.regions import Region, resize
from kmaskrcnn.ops.skeletons import Skeletons
from kmaskrcnn.ops.styles import AUTO, choose_style, legend_rows


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
    image = sample.read()
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


def short_name(sample: Sample) -> str:
    """How a caption calls an image: its file's name, or its id."""
    if isinstance(sample.image, np.ndarray):
        return sample.name
    return Path(sample.image).name
