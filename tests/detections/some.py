"""Found objects to test on."""

import numpy as np

from kmaskrcnn.ops.regions import tight_region
from kmaskrcnn.structures import Detections

NAMES = ("deer", "otter", "tiger")


def of_masks(masks, scores=None, labels=None, **changes) -> Detections:
    """Objects with exactly these masks (K, H, W), boxes around them."""
    masks = np.asarray(masks, bool)
    regions = [tight_region(mask) for mask in masks]
    fields = {
        "boxes": np.array([region.window for region in regions], float).reshape(-1, 4),
        "scores": np.linspace(0.9, 0.5, len(masks)) if scores is None else scores,
        "labels": np.arange(len(masks)) % 3 if labels is None else labels,
        "class_names": NAMES,
        "image_size": masks.shape[1:],
        "mask_regions": regions,
    }
    return Detections(**fields | changes)


def of_boxes(boxes, scores=None, labels=None, size=(60, 80), **changes) -> Detections:
    """Objects without masks."""
    count = len(boxes)
    scores = np.linspace(0.9, 0.5, count) if scores is None else scores
    labels = np.arange(count) % 3 if labels is None else labels
    return Detections(np.reshape(boxes, (-1, 4)), scores, labels, NAMES, size, **changes)


def random_masks(count=8, size=(40, 50), seed=0, side=18) -> np.ndarray:
    """Blobs that overlap, some with holes: (K, H, W) bool."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    masks = np.zeros((count, *size), bool)
    for mask in masks:
        centre, radii = rng.uniform(0, size), rng.uniform(3, side / 2, 2)
        distance = np.hypot((y - centre[0]) / radii[0], (x - centre[1]) / radii[1])
        mask[:] = (distance < 1) & (distance > rng.choice([0, 0.4]))
    return masks


def probable(count=5, size=(60, 80), seed=0, **changes) -> Detections:
    """Objects as a model finds them, with masks as probabilities."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 0.6, (count, 2)) * size[::-1]
    boxes = np.concatenate([corners, corners + rng.uniform(5, 25, (count, 2))], axis=1)
    fields = {"mask_probabilities": rng.uniform(0.3, 1, (count, 14, 14))}
    return of_boxes(boxes, size=size, **fields | changes)
