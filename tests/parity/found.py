"""What the user gets, as sets: detections, their masks, their keypoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tests.parity.limits import (
    AREA_PIXELS,
    AREA_SHARE,
    DETECTION_PIXELS,
    DETECTION_SCORE,
    KEYPOINT_PIXELS,
    LIMITS,
)
from tests.parity.rows import Row
from tests.parity.run import Run
from tests.parity.sets import distances


class Found(NamedTuple):
    """One image's detections of either side: the original's pixels, the reference's labels."""

    boxes: np.ndarray  # (K, 4) x1 y1 x2 y2
    scores: np.ndarray
    labels: np.ndarray


def theirs(run: Run, image: int) -> Found:
    """The reference's; matterport's boxes are its rois, y before x."""
    answers, key = run.case.answers, f"detections/{image}/"
    if f"{key}rois" in answers:
        rois = answers[f"{key}rois"][:, [1, 0, 3, 2]].astype(np.float32)
        return Found(rois, answers[f"{key}scores"], answers[f"{key}class_ids"])
    return Found(*(answers[key + name] for name in ("boxes", "scores", "labels")))


def ours(run: Run, image: int) -> Found:
    """What `predict` gives."""
    found = run.detections[image]
    return Found(found.boxes, found.scores, run.order.labels(found.labels))


def partners(first: Found, second: Found) -> np.ndarray:
    """(K,) int: the nearest of `second` with the same label, score and box; -1 for none."""
    if not len(first.boxes) or not len(second.boxes):
        return np.full(len(first.boxes), -1)
    away = distances(first.boxes, second.boxes)
    same = (
        (away <= DETECTION_PIXELS)
        & (first.labels[:, None] == second.labels[None])
        & (np.abs(first.scores[:, None] - second.scores[None]) <= DETECTION_SCORE)
    )
    nearest = np.where(same, away, np.inf).argmin(1)
    return np.where(same.any(1), nearest, -1)


def detection_rows(run: Run) -> Iterator[Row]:
    """Who has no partner, of theirs or of ours."""
    for image in range(run.num_images):
        if not run.case.names(f"detections/{image}/"):
            continue
        expected, got = theirs(run, image), ours(run, image)
        pairs = partners(expected, got), partners(got, expected)
        alone = max((float((pair < 0).mean()) for pair in pairs if len(pair)), default=0.0)
        note = f"{len(got.boxes)}, theirs {len(expected.boxes)}"
        if len(got.boxes) == len(expected.boxes):
            note = ""
        yield Row("detections", f"image {image}", alone, LIMITS["detections"], note)


def _pairs(run: Run, image: int) -> np.ndarray:
    """(n, 2): rows of theirs, and their partners' of ours."""
    partner = partners(theirs(run, image), ours(run, image))
    return np.stack([np.arange(len(partner)), partner], axis=1)[partner >= 0]


def mask_rows(run: Run) -> Iterator[Row]:
    """Areas of all partners, and the overlap of the first eight."""
    for image in range(run.num_images):
        key = f"detections/{image}/mask_area"
        if not run.case.answers.get(key, np.zeros(0)).size:
            continue
        pairs = _pairs(run, image)
        if not len(pairs):
            yield Row("masks", f"image {image}", float("inf"), LIMITS["mask areas"], "no partners")
            continue
        expected = run.case.answers[key]
        found = run.detections[image]
        regions = {i: found.region(i).area for i in pairs[:, 1]}
        away = max(
            abs(regions[j] - expected[i]) / max(AREA_SHARE * expected[i], AREA_PIXELS)
            for i, j in pairs
        )
        yield Row("masks", f"areas, image {image}", float(away), LIMITS["mask areas"])
        yield from _overlap_rows(run, image, pairs)


def _overlap_rows(run: Run, image: int, pairs: np.ndarray) -> Iterator[Row]:
    packed = run.case.answers[f"detections/{image}/mask_packed_first8"]
    height, width = run.detections[image].image_size
    first = np.unpackbits(packed)
    first = first[: len(first) // (height * width) * height * width].astype(bool)
    first = first.reshape(-1, height, width)
    pairs = pairs[pairs[:, 0] < len(first)]
    masks = run.detections[image][pairs[:, 1]].masks
    away = [1 - _iou(first[i], mask) for (i, _), mask in zip(pairs, masks, strict=True)]
    yield Row("masks", f"1 - IoU, image {image}", max(away, default=0.0), LIMITS["mask IoU"])


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    together = (first | second).sum()
    return float((first & second).sum() / together) if together else 1.0


def keypoint_rows(run: Run) -> Iterator[Row]:
    """Keypoints of partners; their scores for information."""
    for image in range(run.num_images):
        key = f"detections/{image}/keypoints"
        if not run.case.answers.get(key, np.zeros(0)).size:
            continue
        pairs = _pairs(run, image)
        if not len(pairs):
            yield Row(
                "keypoints", f"image {image}", float("inf"), LIMITS["keypoints"], "no partners"
            )
            continue
        expected = run.case.answers[key][pairs[:, 0]]
        got = run.detections[image].keypoints[pairs[:, 1]]
        away = np.abs(expected[..., :2] - got[..., :2]).max(-1)
        share = float((away > KEYPOINT_PIXELS).mean())
        yield Row("keypoints", f"image {image}", share, LIMITS["keypoints"])
        scores = run.case.answers.get(f"{key}_scores", run.case.answers[key][..., 2])
        scores = scores[pairs[:, 0]]
        away = np.linalg.norm(scores - got[..., 2]) / np.linalg.norm(scores)
        yield Row("keypoints", f"scores, image {image}", float(away), None)
