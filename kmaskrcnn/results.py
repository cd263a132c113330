"""From one image's padded outputs of the network to what a user holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data import Origin, points_to_original, to_original
from kmaskrcnn.ops.keypoints import decode_heatmaps
from kmaskrcnn.structures import Detections


def to_detections(
    outputs: Mapping[str, np.ndarray],
    origin: Origin,
    class_names: Sequence[str],
    config: MaskRCNNConfig,
) -> Detections:
    """The objects of one image, in its own pixels.

    Args:
        outputs: "boxes" (K, 4), "scores" (K,), "labels" (K,), -1 pads; "masks" (K, M, M) and
            "heatmaps" (K, M, M, J) of networks that have them.
        origin: where the image came from. class_names, config: the model's.
    """
    kept = outputs["labels"] >= 0
    boxes, usable = to_original(outputs["boxes"][kept], origin, config.box_frame)
    rest: dict[str, Any] = {}
    if "masks" in outputs:
        rest["mask_probabilities"] = outputs["masks"][kept][usable].astype(np.float16)
    if "heatmaps" in outputs:
        rest["keypoints"] = _keypoints(outputs, kept, origin, config)[usable]
        rest["keypoint_names"] = config.keypoint_names
        rest["keypoint_skeleton"] = config.keypoint_skeleton
    return Detections(
        boxes=boxes[usable],
        scores=outputs["scores"][kept][usable],
        labels=outputs["labels"][kept][usable],
        class_names=tuple(class_names),
        image_size=origin.size,
        mask_paste=config.mask_paste,
        **rest,
    )


def _keypoints(outputs, kept, origin: Origin, config: MaskRCNNConfig) -> np.ndarray:
    """(K, J, 3) x, y in the original's pixels, score; heatmaps are decoded in the network's."""
    found = decode_heatmaps(
        outputs["heatmaps"][kept], outputs["boxes"][kept], config.keypoint_score
    )
    return np.concatenate([points_to_original(found[..., :2], origin), found[..., 2:]], -1)
