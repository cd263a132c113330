"""Objects as ``supervision.Detections`` (https://supervision.roboflow.com)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kmaskrcnn.detections.objects import Objects


def to_supervision(found: Objects, dense_masks: bool = False) -> Any:
    """See `Detections.to_supervision`."""
    try:
        import supervision
    except ImportError as error:
        raise ImportError(
            'to_supervision() needs supervision: pip install "kmaskrcnn[supervision]"'
        ) from error
    compact = getattr(supervision, "CompactMask", None)
    masks = None
    if found.has_masks:
        dense = dense_masks or not hasattr(compact, "from_coco_rle")
        masks = found.masks if dense else _compact_masks(found, compact)
    return supervision.Detections(
        xyxy=found.boxes.copy(),
        mask=masks,
        confidence=found.scores.copy(),
        class_id=found.labels.astype(int),
        data={"class_name": np.array(found.names, dtype=str)},
    )


def _compact_masks(found: Objects, compact: Any) -> Any:
    """Run lengths, each in its window; supervision's windows end at their last pixel."""
    windows = np.array([region.window for region in found.regions()], np.float32).reshape(-1, 4)
    return compact.from_coco_rle(found.rle(), windows - [0, 0, 1, 1], found.image_size)
