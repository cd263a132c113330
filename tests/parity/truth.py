"""The truth of a case's training step, as one padded batch: each reference was given its own."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops.masks import pack_masks
from tests.parity.case import Case, ellipses


def targets(case: Case) -> dict[str, tf.Tensor]:
    """Boxes, labels and masks in pixels of the network input."""
    makers = {"torchvision": _torchvision, "detectron2": _detectron2, "matterport": _matterport}
    make = makers[case.settings.reference]
    rows = [make(case, image) for image in range(len(case.spec["photos"]))]
    return _batch(rows)


def _torchvision(case: Case, image: int):
    """Drawn on the photograph; its own resize takes each mask's nearest pixels."""
    photo, size = case.photos()[image], case.answers["input/sizes"][image]
    height, width = photo.shape[:2]
    num_classes = len(case.settings.class_names) + 1
    boxes, labels, masks = ellipses(height, width, case.truth_seeds()[image], num_classes)
    y, x = (_nearest(*sides) for sides in zip((height, width), size, strict=True))
    factors = np.float32(size) / np.float32([height, width])
    return boxes * factors[[1, 0, 1, 0]], labels - 1, masks[:, y][:, :, x]


def _nearest(before: int, after: int) -> np.ndarray:
    """The pixel that each pixel of a resized side is copied from."""
    return np.floor(np.arange(after) * np.float32(before / after)).astype(int)


def _detectron2(case: Case, image: int):
    """Drawn on the resized photograph."""
    height, width = case.answers["input/sizes"][image]
    num_classes = len(case.settings.class_names) + 1
    boxes, labels, masks = ellipses(height, width, case.truth_seeds()[image], num_classes)
    return boxes, labels - 1, masks


def _matterport(case: Case, image: int):
    """Kept with the answers, in whole pixels of the square canvas."""
    answers = case.answers
    height, width = case.answers["input/nhwc/shape"][1:3]
    boxes, labels = answers["training/gt_boxes"], answers["training/gt_class_ids"]
    masks = np.unpackbits(answers["training/gt_masks_packed"])[: len(labels) * height * width]
    masks = masks.reshape(len(labels), height, width).astype(bool)
    return boxes[:, [1, 0, 3, 2]].astype(np.float32), labels - 1, masks


def _batch(rows: list) -> dict[str, tf.Tensor]:
    packed = [_packed(masks) for _, _, masks in rows]
    longest = max(len(one[0]) for one in packed)
    return {
        "boxes": tf.constant([boxes for boxes, _, _ in rows], tf.float32),
        "labels": tf.constant([labels for _, labels, _ in rows], tf.int32),
        "crowd": tf.zeros([len(rows), len(rows[0][1])], tf.bool),
        "mask_bytes": tf.constant([np.pad(one[0], (0, longest - len(one[0]))) for one in packed]),
        "mask_windows": tf.constant([one[1] for one in packed]),
        "mask_offsets": tf.constant([one[2] for one in packed]),
        "image_indices": tf.range(len(rows)),
    }


def _packed(masks: np.ndarray):
    whole = (0, 0, masks.shape[2], masks.shape[1])
    return pack_masks([(whole, mask) for mask in masks])
