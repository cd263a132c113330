"""Confusion, calibration, counts, quality and mistakes: by hand, and against slow loops."""

import json
import math

import numpy as np
import pytest

from kmaskrcnn.commands.output import to_json
from kmaskrcnn.evaluation import Evaluator, analyse, confusion_matrix, match
from kmaskrcnn.evaluation.calibration import calibration
from kmaskrcnn.evaluation.counts import count_error
from kmaskrcnn.evaluation.mistakes import find_mistakes
from kmaskrcnn.evaluation.quality import image_quality
from tests.evaluation.cases import NAMES, crowded, dataset_of, found, square
from tests.evaluation.test_matching import slowly


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("score", [0.0, 0.35, 0.6])
def test_confusion_is_that_of_a_slow_loop(seed, score):
    dataset, predictions = crowded(seed)
    expected = np.zeros((4, 4), int)
    taken = set()
    for (image, row), truth in slowly(dataset, predictions, 0.5, score, any_class=True).items():
        detections = predictions[image][1]
        if detections.scores[row] < score or truth == "ignored":
            continue
        label = 3 if truth is None else dataset[truth[0]].instances[truth[1]].label
        expected[label, detections.labels[row]] += 1
        taken.add(truth)
    for image in range(len(dataset)):
        for row, instance in enumerate(dataset[image].instances):
            if not instance.crowd and (image, row) not in taken:
                expected[instance.label, 3] += 1
    assert confusion_matrix(match(dataset, predictions), score).tolist() == expected.tolist()


def test_confusion_by_hand():
    dataset = dataset_of([square(0, 0, 0), square(1, 40, 0), square(2, 0, 40)])
    rows = [(0, 0.9, 0, 0), (0, 0.8, 40, 0), (1, 0.7, 60, 50), (2, 0.4, 0, 40)]
    matches = match(dataset, [(0, found(*rows))])
    expected = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]]
    assert confusion_matrix(matches, 0.5).tolist() == expected
    expected[2] = [0, 0, 1, 0]
    assert confusion_matrix(matches, np.array([0.5, 0.5, 0.3])).tolist() == expected


def test_calibration_by_hand():
    dataset = dataset_of([square(0, 0, 0), square(0, 40, 0)])
    rows = [(0, 0.95, 0, 0), (0, 0.15, 40, 0), (0, 0.12, 60, 50), (0, 0.14, 30, 50)]
    told = calibration(match(dataset, [(0, found(*rows))]))
    assert told.counts.tolist() == [0, 3, 0, 0, 0, 0, 0, 0, 0, 1]
    assert told.right[[1, 9]] == pytest.approx([1 / 3, 1])
    assert told.scores[[1, 9]] == pytest.approx([0.41 / 3, 0.95])
    assert math.isnan(told.right[0])
    assert told.error == pytest.approx((3 * (1 / 3 - 0.41 / 3) + 0.05) / 4)
    assert math.isnan(calibration(match(dataset, [])).error)


def test_a_score_on_an_edge_belongs_to_the_upper_bin():
    dataset = dataset_of([square(0, 0, 0)])
    rows = [(0, 0.5, 0, 0), (0, 1.0, 40, 0), (0, 0.0, 0, 40)]
    told = calibration(match(dataset, [(0, found(*rows))]), bins=4)
    assert told.counts.tolist() == [1, 0, 1, 1]


def test_scores_that_are_shares_are_calibrated():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.05, 1, 2000)
    images = [[square(0, 0, 0)] if rng.random() < s else [] for s in scores]
    predictions = [(i, found((0, s, 0, 0))) for i, s in enumerate(scores)]
    told = calibration(match(dataset_of(*images), predictions, iou_type="box"))
    assert told.error < 0.03
    assert np.abs(told.right - told.scores).max() < 0.1


def test_counts_by_hand():
    dataset = dataset_of(
        [square(0, 0, 0), square(0, 40, 0)], [square(0, 0, 0), square(1, 40, 0)], [], []
    )
    predictions = [
        (0, found((0, 0.9, 0, 0))),
        (1, found((0, 0.9, 0, 0), (0, 0.8, 40, 40), (0, 0.7, 0, 40), (1, 0.9, 40, 0))),
        (3, found((0, 0.2, 0, 0))),
    ]
    matches = match(dataset, predictions)
    deer = count_error(matches, 0.5, 0)
    assert deer == (2, 3, 4, 0.5, 1.5, pytest.approx(math.sqrt(2.5)), 0.0)
    assert count_error(matches, 0.5, 1) == (1, 1, 1, 0, 0, 0, 1)
    assert count_error(matches, 0.1, 0).images == 3
    assert math.isnan(count_error(matches, 0.5, 2).mean)
    assert count_error(matches, 0.5).exact == 0


def test_counts_are_a_metric():
    dataset, predictions = crowded(2)
    told = Evaluator(dataset, metrics=["counts"]).evaluate(predictions)
    analysis = analyse(dataset, predictions)
    assert told["counts/rms"] == analysis.counts[""].rms
    assert told["counts/exact/otter"] == analysis.counts["otter"].exact
    assert told["counts/threshold/deer"] == analysis.thresholds[0]
    assert len(told) == 4 + 5 * 3


def test_quality_by_hand():
    dataset = dataset_of([square(0, 0, 0), square(0, 40, 0)], [], [], [square(1, 0, 0)])
    predictions = [
        (0, found((0, 0.9, 2, 0), (0, 0.8, 60, 50), (0, 0.1, 40, 0))),
        (1, found((0, 0.9, 0, 0))),
        (3, found((1, 0.9, 0, 0))),
    ]
    told = image_quality(match(dataset, predictions), 0.5)
    assert told == pytest.approx([(18 / 22) / (1 + 0.5 + 0.5), 0, 1, 1])


def test_what_is_wrong():
    dataset = dataset_of(
        [square(0, 0, 0), square(1, 40, 0, 25), square(2, 0, 40, 15)], [square(0, 30, 30, 40)]
    )
    predictions = [
        (
            0,
            found(
                (0, 0.9, 0, 0),  # right
                (0, 0.8, 1, 0),  # twice
                (0, 0.7, 40, 0, 25),  # an otter
                (2, 0.6, 9, 40, 15),  # a tiger, too far to the right
                (1, 0.5, 65, 55),  # nothing
            ),
        ),
        (1, found((0, 0.2, 30, 30, 40))),  # below the threshold
    ]
    told = find_mistakes(match(dataset, predictions), 0.4)
    assert told.alarms.tolist() == [1, 2, 3, 4]
    assert told.alarm_kinds.tolist() == ["twice", "wrong class", "inexact", "nothing there"]
    assert told.alarm_truth.tolist() == [0, 1, 2, -1]
    assert told.misses.tolist() == [3, 1, 2]  # the largest first
    assert told.miss_kinds.tolist() == ["unsure", "wrong class", "inexact"]
    assert told.miss_found.tolist() == [5, 2, 3]
    both = dataset_of([square(0, 0, 0), square(0, 3, 0)])  # found once, with too low a score
    told = find_mistakes(match(both, [(0, found((0, 0.2, 0, 0)))]), 0.4)
    assert sorted(told.miss_kinds) == ["not seen", "unsure"]
    everything = find_mistakes(match(dataset, []), 0.4)
    assert set(everything.miss_kinds) == {"not seen"}


def test_all_of_it_is_plain_numbers():
    dataset, predictions = crowded()
    told = json.loads(to_json(analyse(dataset, predictions)))
    assert set(told["classes"]) == set(NAMES)
    deer = told["classes"]["deer"]
    assert 0 < deer["threshold"] < 1 and deer["f1"] > 0
    matrix = np.array(told["confusion"]["matrix"])
    assert matrix[:-1].sum() == sum(told["classes"][name]["truth"] for name in NAMES)
    assert sum(told["false_alarms"].values()) > 0
    assert len(told["quality"]["of_images"]) == len(dataset)
    nothing = json.loads(to_json(analyse(dataset_of([], []), [])))
    assert nothing["classes"]["deer"]["AP"] is None
    assert nothing["quality"]["mean"] == 1
