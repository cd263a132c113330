"""What a `Detections` holds, checked when it is made."""

from __future__ import annotations

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


def checked_fields(given: Any) -> dict[str, Any]:
    """The arrays read-only and of the right types, names and pairs as tuples.

    Args:
        given: a `Detections` whose fields hold what its caller gave.

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
        "mask_probabilities": checked_masks(
            "mask_probabilities", given.mask_probabilities, len(boxes)
        ),
        **_checked_keypoints(given, len(boxes)),
    }


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
