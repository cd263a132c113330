"""Found objects in COCO's form of results (https://cocodataset.org/#format-results)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops import regions

PIXEL_INDEX = np.array([0.5, 0.5, 0], np.float32)
"""COCO's keypoints are indices of pixels: half a pixel less than continuous coordinates."""


def coco_results(
    found: Objects, image_id: int | str, category_ids: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """The results of one image; see `Detections.to_coco`."""
    ids = category_ids or {name: i + 1 for i, name in enumerate(found.class_names)}
    missing = sorted(set(found.names) - set(ids))
    if missing:
        raise ValueError(f"expected a category id for every class, got none for {missing}")
    return [
        coco_result(
            image_id,
            ids[name],
            found.boxes[i],
            found.scores[i],
            regions.to_rle(found.region(i), found.image_size) if found.has_masks else None,
            None if found.keypoints is None else found.keypoints[i],
        )
        for i, name in enumerate(found.names)
    ]


def coco_result(
    image_id: int | str,
    category_id: int,
    box: np.ndarray,
    score: float,
    rle: dict[str, Any] | None = None,
    keypoints: np.ndarray | None = None,
) -> dict[str, Any]:
    """Plain numbers, ready for JSON.

    Args:
        image_id, category_id: of the annotation file.
        box: (4,) x1 y1 x2 y2.
        score: of the object.
        rle: its mask; None: there is none.
        keypoints: (J, 3) x, y in continuous pixels, score; None: there are none.
    """
    left, top, right, bottom = (float(edge) for edge in box)
    result: dict[str, Any] = {
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [left, top, right - left, bottom - top],
        "score": float(score),
    }
    if rle is not None:
        result["segmentation"] = rle
    if keypoints is not None:
        result["keypoints"] = (keypoints - PIXEL_INDEX).reshape(-1).tolist()
    return result
