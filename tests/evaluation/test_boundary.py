"""Boundary AP against slow erosion and pycocotools' counting."""

import contextlib
import io
import math

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from kmaskrcnn.data.rle import decode_window
from kmaskrcnn.evaluation import Evaluator
from tests.evaluation.cases import dataset_of, found, square
from tests.evaluation.reference import as_coco, loaded
from tests.evaluation.test_coco import STATS, same


def rim(code):
    """The pixels of a mask within 2 % of the diagonal from anything that is not it."""
    (left, top, right, bottom), crop = decode_window(code)
    mask = np.zeros(code["size"], bool)
    mask[top:bottom, left:right] = crop
    width = max(1, round(0.02 * math.hypot(*mask.shape)))
    padded = np.pad(mask, width)
    inner = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        window = padded[row : row + 2 * width + 1, column : column + 2 * width + 1]
        inner[row, column] = window.all()
    return mask & ~inner


class SlowBoundary(COCOeval):
    """pycocotools with the smaller of two IoU."""

    def computeIoU(self, image_id, category_id):  # noqa: N802
        ious = super().computeIoU(image_id, category_id)
        there = self._gts[image_id, category_id]
        claimed = sorted(self._dts[image_id, category_id], key=lambda d: -d["score"])
        for i, own in enumerate(claimed if len(ious) else []):
            for j, other in enumerate(there):
                if not other["iscrowd"]:
                    one, two = rim(own["segmentation"]), rim(other["segmentation"])
                    ious[i][j] = min(ious[i][j], (one & two).sum() / (one | two).sum())
        return ious


def test_equal_to_a_slow_reference():
    rng = np.random.default_rng(0)
    dataset, predictions = dataset_of(*[[] for _ in range(4)]), []
    for index, sample in enumerate(dataset.samples):
        places = rng.integers(0, 40, (3, 2)).tolist()
        sample.instances.extend(square(0, *place, 36) for place in places[1:])
        sample.instances.append(square(0, *places[0], 36, crowd=index == 1))
        moved = np.clip(places + rng.integers(-1, 2, (3, 2)), 0, 40)
        rows = [(0, score, *place, 36) for score, place in zip(rng.random(3), moved, strict=True)]
        predictions.append((index, found(*rows)))
    got = Evaluator(dataset, metrics=["boundary"]).evaluate(predictions)
    results = [r for i, d in predictions for r in d.to_coco(dataset[i].image_id)]
    truth = loaded(as_coco(dataset))
    with contextlib.redirect_stdout(io.StringIO()):
        there = truth.loadRes([{k: v for k, v in r.items() if k != "bbox"} for r in results])
        evaluation = SlowBoundary(truth, there, "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = [math.nan if value == -1 else value for value in evaluation.stats]
    same({k: got[f"boundary/{k}"] for k in STATS}, dict(zip(STATS, stats, strict=True)))
    coco = Evaluator(dataset).evaluate(predictions)
    assert 0.1 < got["boundary/AP"] < coco["mask/AP"]


def test_by_hand():
    """Of 40 × 40 pixels a frame of 2 is the rim, 304 pixels; moved by one, fewer are common."""
    dataset = dataset_of([square(0, 10, 10, 40)])
    moved = [(0, found((0, 0.9, 11, 10, 40)))]
    figures = Evaluator(dataset, metrics=["coco", "boundary"]).evaluate(moved)
    mask, rims = 39 / 41, common() / (2 * 304 - common())
    thresholds = np.linspace(0.5, 0.95, 10)
    assert figures["mask/AP"] == pytest.approx((mask >= thresholds).mean())
    assert figures["boundary/AP"] == pytest.approx((rims >= thresholds).mean())
    assert (mask >= thresholds).sum() == 10 and 3 <= (rims >= thresholds).sum() <= 6


def common():
    """Both long sides share half their width, both others all but two ends."""
    frame = np.zeros((40, 41), bool)
    frame[:, :40] = True
    frame[2:-2, 2:38] = False
    return int((frame & np.roll(frame, 1, axis=1)).sum())


def test_nothing_without_masks():
    dataset = dataset_of([square(0, 10, 10)])
    boxes = found((0, 0.9, 10, 10), mask_probabilities=None)
    assert Evaluator(dataset, metrics=["boundary", "cityscapes"]).evaluate([(0, boxes)]) == {}
