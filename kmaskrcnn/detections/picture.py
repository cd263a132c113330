"""The picture of found objects on their image."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.skeletons import Skeletons
from kmaskrcnn.ops.styles import AUTO, choose_style, legend_rows


def draw(
    found: Objects,
    image: np.ndarray,
    *,
    color_by: str = AUTO,
    masks: bool = True,
    boxes: bool | str = AUTO,
    captions: bool | str = AUTO,
    keypoints: bool = True,
    keypoint_score: float = 0.05,
    long_side: int | None = None,
) -> np.ndarray:
    """See `Detections.draw`; ``image`` is (H, W, 3) uint8 RGB."""
    shown = found
    if long_side is not None:
        image = drawing.fit(image, (long_side, long_side))
        shown = found.replaced(image=None).resized((image.shape[0], image.shape[1]))
    masks = masks and found.has_masks
    style = choose_style(
        found.labels, has_masks=masks, color_by=color_by, boxes=boxes, captions=captions
    )
    skeletons = None
    if keypoints and shown.keypoints is not None:
        skeletons = Skeletons(
            shown.keypoints, found.keypoint_names, found.keypoint_skeleton, keypoint_score
        )
    return drawing.draw_instances(
        image,
        shown.boxes,
        region_of=shown.region if masks else None,
        captions=found.captions if style.captions else None,
        legend=legend_rows(found.names, style.color_by) if style.legend else (),
        colors=drawing.colors_of(found.labels, style.color_by),
        outline_boxes=style.boxes,
        skeletons=skeletons,
    )
