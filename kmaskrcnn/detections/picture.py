"""The picture of found objects on their image."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.skeletons import Skeletons


def draw(
    found: Objects,
    image: np.ndarray,
    *,
    color_by: str = "instance",
    masks: bool = True,
    boxes: bool = True,
    captions: bool = True,
    keypoints: bool = True,
    keypoint_score: float = 0.05,
    long_side: int | None = None,
) -> np.ndarray:
    """See `Detections.draw`; ``image`` is (H, W, 3) uint8 RGB."""
    shown = found
    if long_side is not None:
        image = drawing.fit(image, (long_side, long_side))
        shown = found.replaced(image=None).resized((image.shape[0], image.shape[1]))
    skeletons = None
    if keypoints and shown.keypoints is not None:
        skeletons = Skeletons(
            shown.keypoints, found.keypoint_names, found.keypoint_skeleton, keypoint_score
        )
    return drawing.draw_instances(
        image,
        shown.boxes,
        region_of=shown.region if masks and found.has_masks else None,
        captions=found.captions if captions else None,
        colors=drawing.colors_of(found.labels, color_by),
        outline_boxes=boxes,
        skeletons=skeletons,
    )
