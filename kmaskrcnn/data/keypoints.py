"""Keypoints through the sample's one matrix: out of sight at the edge, left for right in a mirror.

Keypoints are (J, 3) arrays of x, y in continuous pixels and COCO's visibility: 0 not labelled, 1
labelled but hidden, 2 visible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.classes import mirrored
from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import View, warp_points


def warp_keypoints(keypoints: np.ndarray, view: View, keypoint_names: Sequence[str]) -> np.ndarray:
    """Keypoints as the view shows them.

    A mirrored left hand is a right one: the two change places, found by their names. (Mirroring top
    and bottom does so, too; turning does not.)

    Args:
        keypoints: (J, 3) in pixels of the original image.
        view: the sample's matrix and the size it leads to.
        keypoint_names: J names.

    Returns:
        (J, 3) float32 in pixels of the view; zeros where not labelled, or outside of the view.
    """
    visibility = keypoints[:, 2]
    points = warp_points(keypoints[:, :2], view.matrix)
    inside = ((points >= 0) & (points <= view.size[::-1])).all(axis=1) & (visibility > 0)
    warped = np.where(inside[:, None], np.column_stack([points, visibility]), 0)
    if np.linalg.det(view.matrix[:, :2]) < 0:
        warped = warped[mirrored(tuple(keypoint_names))]
    return warped.astype(np.float32)


def checked_keypoints(instance: Instance, keypoint_names: Sequence[str], place: str) -> np.ndarray:
    """An object's keypoints (J, 3) float64; zeros where it has none.

    Raises:
        DataError: another shape, or a labelled point that is not finite; ``place`` is named.
    """
    count = len(keypoint_names)
    if instance.keypoints is None:
        return np.zeros((count, 3))
    keypoints = np.asarray(instance.keypoints, np.float64)
    if keypoints.shape != (count, 3):
        raise DataError(
            f"{place}, annotation {instance.annotation_id}: keypoints of shape {keypoints.shape}, "
            f"expected ({count}, 3): x, y and visibility of each of the dataset's keypoint_names."
        )
    if not np.isfinite(keypoints[keypoints[:, 2] != 0]).all():
        raise DataError(
            f"{place}, annotation {instance.annotation_id}: a labelled keypoint is not finite; "
            "a point that is not known has visibility 0."
        )
    return keypoints
