"""What is held of found objects, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kmaskrcnn.ops.checks import (
    checked_array,
    checked_masks,
    checked_names,
    checked_pairs,
    checked_size,
    refuse,
)
from kmaskrcnn.ops.regions import Region, make_region


def checked_fields(given: Any) -> dict[str, Any]:
    """The arrays read-only and of the right types, names and pairs as tuples.

    Args:
        given: `Objects` whose fields hold what their caller gave.

    Raises:
        ValueError: with what was expected and what came.
    """
    names = checked_names("class_names", given.class_names)
    boxes = checked_array("boxes", given.boxes, np.float32, (None, 4))
    scores = checked_array("scores", given.scores, np.float32, (len(boxes),))
    labels = checked_array("labels", given.labels, np.int32, (len(boxes),))
    refuse("boxes with x2 ≥ x1 and y2 ≥ y1", boxes, (boxes[:, 2:] < boxes[:, :2]).any(axis=1))
    refuse("scores in [0, 1]", scores, (scores < 0) | (scores > 1))
    refuse(f"labels from 0 to {len(names) - 1}", labels, (labels < 0) | (labels >= len(names)))
    return {
        "boxes": boxes,
        "scores": scores,
        "labels": labels,
        "class_names": names,
        "image_size": checked_size(given.image_size),
        **_checked_masks(given, len(boxes)),
        **_checked_keypoints(given, len(boxes)),
    }


def _checked_masks(given: Any, count: int) -> dict[str, Any]:
    masks, exact = given.mask_probabilities, given.mask_regions
    if exact is not None:
        if masks is not None:
            raise ValueError("expected mask_probabilities or mask_regions, got both")
        exact = checked_regions(exact, count, checked_size(given.image_size))
    checked = checked_masks("mask_probabilities", masks, count)
    return {"mask_probabilities": checked, "mask_regions": exact}


def checked_regions(
    regions: Iterable[Any], count: int, image_size: tuple[int, int]
) -> tuple[Region, ...]:
    """Read-only copies of ``count`` pairs of window and crop, all inside the image."""
    checked = []
    for number, (window, crop) in enumerate(regions):
        crop = np.asarray(crop)
        fixed = crop.dtype == bool and crop.flags.owndata and not crop.flags.writeable
        region = make_region(window, crop if fixed else np.array(crop, dtype=bool))
        left, top, right, bottom = region.window
        if min(left, top) < 0 or right > image_size[1] or bottom > image_size[0]:
            raise ValueError(
                f"expected mask_regions inside the image of {image_size} (height, width), got the "
                f"window x1 y1 x2 y2 = {region.window} in row {number}"
            )
        region.crop.flags.writeable = False
        checked.append(region)
    if len(checked) != count:
        raise ValueError(f"expected {count} mask_regions, one a box, got {len(checked)}")
    return tuple(checked)


def _checked_keypoints(given: Any, count: int) -> dict[str, Any]:
    names = checked_names("keypoint_names", given.keypoint_names)
    num_keypoints, keypoints = len(names), None
    if given.keypoints is not None:
        shape = (count, len(names) or None, 3)
        keypoints = checked_array("keypoints", given.keypoints, np.float32, shape)
        num_keypoints = keypoints.shape[1]
    return {
        "keypoints": keypoints,
        "keypoint_names": names,
        "keypoint_skeleton": checked_pairs(
            "keypoint_skeleton", given.keypoint_skeleton, num_keypoints
        ),
    }
