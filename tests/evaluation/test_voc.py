"""VOC's AP50: a literal case, a slow loop, difficult objects."""

from dataclasses import replace

import numpy as np
import pytest

from kmaskrcnn.evaluation import Evaluator
from kmaskrcnn.evaluation.voc import area_under, eleven_points
from tests.evaluation.cases import NAMES, Listed, crowded, dataset_of, found, square


def figures_of(dataset, predictions):
    return Evaluator(dataset, metrics=["voc"]).evaluate(predictions)


def test_a_literal_case():
    """Three deer; found: right, false, right, twice the same. The third is missed."""
    dataset = dataset_of([square(0, 0, 0), square(0, 30, 0), square(0, 0, 40)])
    rows = [(0, 0.9, 1, 0), (0, 0.8, 60, 50), (0, 0.7, 30, 2), (0, 0.6, 0, 0)]
    figures = figures_of(dataset, [(0, found(*rows))])
    # precision 1 up to a recall of 1/3, then 2/3 up to 2/3, then nothing
    for kind in ("voc_box", "voc_mask"):
        assert figures[f"{kind}/AP50/deer"] == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)
        assert figures[f"{kind}/AP50"] == figures[f"{kind}/AP50/deer"]
        # recalls 0, 0.1, 0.2, 0.3; then 0.4, 0.5, 0.6; then four that are not reached
        assert figures[f"{kind}/AP50_11points/deer"] == pytest.approx((4 + 3 * 2 / 3) / 11)
        assert np.isnan(figures[f"{kind}/AP50/tiger"])


def test_the_curve_of_the_development_kit():
    """Four of five objects, and two false alarms between them."""
    recall = np.array([0.2, 0.2, 0.4, 0.6, 0.6, 0.8])
    precision = np.array([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5, 4 / 6])
    assert area_under(recall, precision) == pytest.approx(0.2 + 0.4 * 3 / 4 + 0.2 * 2 / 3)
    assert eleven_points(recall, precision) == pytest.approx((3 + 4 * 3 / 4 + 2 * 2 / 3) / 11)
    assert area_under(np.zeros(0), np.zeros(0)) == eleven_points(np.zeros(0), np.zeros(0)) == 0


def slow(dataset, predictions, label):
    """VOCevaldet.m as it is written, on the squares' boxes."""
    rows = []
    for index, detections in predictions:
        for i in np.flatnonzero(detections.labels == label):
            rows.append((index, float(detections.scores[i]), detections.boxes[i].astype(float)))
    rows.sort(key=lambda row: -row[1])
    there = {
        index: [[corners(i), i.difficult, False] for i in sample.instances if i.label == label]
        for index, sample in enumerate(dataset.samples)
    }
    positives = sum(not difficult for objects in there.values() for _, difficult, _ in objects)
    right, wrong = [], []
    for index, _, box in rows:
        best, nearest = -np.inf, None
        for own in there[index]:
            if overlap(box, own[0]) > best:
                best, nearest = overlap(box, own[0]), own
        right.append(0)
        wrong.append(0)
        if best >= 0.5:
            if not nearest[1]:
                right[-1], wrong[-1] = (0, 1) if nearest[2] else (1, 0)
                nearest[2] = True
        else:
            wrong[-1] = 1
    return positives, np.cumsum(right), np.cumsum(wrong)


def corners(instance):
    (polygon,) = instance.mask
    return np.r_[polygon.min(0), polygon.max(0)]


def overlap(one, two):
    sides = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
    common = max(sides[0], 0) * max(sides[1], 0)
    return common / (np.prod(one[2:] - one[:2]) + np.prod(two[2:] - two[:2]) - common)


def area(positives, right, wrong):
    """Mean precision by the kit's loop over the points."""
    recall = [0, *(right / positives), 1]
    precision = [0, *(right / np.maximum(right + wrong, 1)), 0]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum(
        (recall[i] - recall[i - 1]) * precision[i]
        for i in range(1, len(recall))
        if recall[i] != recall[i - 1]
    )


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_a_slow_loop(seed):
    dataset, predictions = crowded(seed, images=15)
    rng = np.random.default_rng(seed)
    samples = []
    for sample in dataset.samples:
        there = [replace(i, crowd=False, difficult=rng.random() < 0.2) for i in sample.instances]
        samples.append(replace(sample, instances=there))
    dataset = Listed(samples)
    figures = figures_of(dataset, predictions)
    for label, name in enumerate(NAMES):
        expected = area(*slow(dataset, predictions, label))
        assert figures[f"voc_box/AP50/{name}"] == pytest.approx(expected, abs=1e-12)
        assert 0.1 < expected < 0.95


def test_crowds_are_neither_found_nor_missed():
    dataset = dataset_of([square(0, 0, 0), square(0, 30, 30, 40, crowd=True)])
    rows = [(0, 0.9, 35, 35, 10), (0, 0.8, 0, 0), (0, 0.7, 50, 50, 10)]
    assert figures_of(dataset, [(0, found(*rows))])["voc_mask/AP50"] == pytest.approx(1)


def test_nothing_found():
    figures = figures_of(dataset_of([square(0, 0, 0)], []), [])
    assert figures["voc_mask/AP50"] == figures["voc_box/AP50_11points"] == 0
