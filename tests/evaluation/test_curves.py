"""Curves and thresholds by hand, and the AP under them."""

import math

import numpy as np
import pytest

from kmaskrcnn.evaluation import evaluate_coco, match
from kmaskrcnn.evaluation.curves import best_thresholds, curve
from tests.evaluation.cases import NAMES, crowded, dataset_of, found, square


def four_found():
    """Three deer, found at 0.9 and 0.5; false alarms at 0.7 and 0.3."""
    dataset = dataset_of([square(0, 0, 0), square(0, 30, 0), square(0, 0, 40)])
    rows = [(0, 0.9, 0, 0), (0, 0.7, 60, 50), (0, 0.5, 30, 0), (0, 0.3, 60, 20)]
    return match(dataset, [(0, found(*rows))])


def test_a_curve_by_hand():
    deer = curve(four_found(), 0)
    assert deer.right.tolist() == [True, False, True, False]
    assert deer.precision == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert deer.recall == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert deer.f1 == pytest.approx([2 / 4, 2 / 5, 4 / 6, 4 / 7])
    assert deer.threshold == pytest.approx(0.5)
    assert deer.at(0.5) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert deer.at(0.8) == pytest.approx((1, 1 / 3, 1 / 2))
    assert math.isnan(deer.at(0.95)[0])
    # at recalls up to 1/3 the precision is 1, up to 2/3 it is 2/3, then 0
    assert deer.average_precision == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)


def test_equal_scores_come_together():
    dataset = dataset_of([square(0, 0, 0), square(0, 30, 0)])
    rows = [(0, 0.9, 0, 0), (0, 0.5, 30, 0), (0, 0.5, 60, 0), (0, 0.5, 60, 50), (0, 0.5, 30, 40)]
    deer = curve(match(dataset, [(0, found(*rows))]), 0)
    assert deer.f1[1] == pytest.approx(1)  # but to stop in the middle of 0.5 is no threshold
    assert deer.threshold == pytest.approx(0.9)
    assert deer.at(deer.threshold)[2] == pytest.approx(2 / 3)


def test_a_class_without_anything_right_takes_the_threshold_of_all():
    matches = four_found()
    assert math.isnan(curve(matches, 1).threshold)
    assert math.isnan(curve(matches, 1).average_precision)
    assert best_thresholds(matches) == pytest.approx([0.5] * 3)
    assert best_thresholds(match(dataset_of([]), [])).tolist() == [0.5] * 3


@pytest.mark.parametrize("iou_type", ["mask", "box"])
def test_the_area_is_that_of_coco(iou_type):
    dataset, predictions = crowded(3, images=12)
    figures = evaluate_coco(dataset, predictions)
    matches = match(dataset, predictions, 0.5, iou_type)
    areas = [curve(matches, label).average_precision for label in range(len(NAMES))]
    assert np.mean(areas) == pytest.approx(figures[f"{iou_type}/AP50"], abs=1e-12)
    assert len(set(areas)) == 3
    strict = match(dataset, predictions, 0.75, iou_type)
    areas = [curve(strict, label).average_precision for label in range(len(NAMES))]
    assert np.mean(areas) == pytest.approx(figures[f"{iou_type}/AP75"], abs=1e-12)
