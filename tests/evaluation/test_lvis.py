"""LVIS' figures: lvis-api's own answers, and what it means that a class was not looked for."""

from dataclasses import replace

import numpy as np
import pytest

from kmaskrcnn.evaluation import Evaluator
from tests.evaluation.cases import Listed, crowded, dataset_of, found, square

# of lvis 0.5.3 (https://pypi.org/project/lvis), for `federated(3)`
ANSWERS = {
    "AP": 0.16548228167360124,
    "AP50": 0.5362744132503435,
    "AP75": 0.06325632563256325,
    "AP_small": 0.16548228167360124,
    "AP_rare": 0.1632857324193958,
    "AP_common": 0.24900518623290901,
    "AP_frequent": 0.0841559263684989,
    "AR300": 0.27785917785917785,
    "AR_small": 0.27785917785917785,
}


def federated(seed, images=12):
    """Random squares: of each class it is known, or not, whether it is absent, and complete."""
    dataset, predictions = crowded(seed, images)
    rng = np.random.default_rng(seed)
    samples = []
    for sample in dataset.samples:
        instances = [replace(i, crowd=False) for i in sample.instances]
        there = {i.label for i in instances}
        absent = [label for label in range(3) if label not in there and rng.random() < 0.6]
        incomplete = [label for label in there if rng.random() < 0.3]
        samples.append(replace(sample, instances=instances, absent=absent, incomplete=incomplete))
    federation = Listed(samples)
    federation.frequencies = ("r", "c", "f")
    return federation, predictions


@pytest.mark.parametrize("kind", ["box", "mask"])
def test_answers_of_lvis_api(kind):
    dataset, predictions = federated(3)
    figures = Evaluator(dataset, metrics=["lvis"]).evaluate(predictions)
    got = {key: figures[f"lvis_{kind}/{key}"] for key in ANSWERS}
    assert got == pytest.approx(ANSWERS, abs=1e-12)


def measured(sample, *rows):
    dataset = Listed([sample])
    return Evaluator(dataset, metrics=["lvis"]).evaluate([(0, found(*rows))])


def test_what_was_not_looked_for_is_no_false_alarm():
    """Two deer are found where one is, an otter and a tiger where none is known."""
    (sample,) = dataset_of([square(0, 0, 0), square(0, 30, 0)]).samples
    rows = [(0, 0.5, 0, 0), (0, 0.4, 30, 0), (0, 0.9, 60, 50), (1, 0.9, 60, 0), (2, 0.9, 0, 50)]
    strict = measured(replace(sample, absent=(1,)), *rows)
    assert strict["lvis_box/AP/deer"] == pytest.approx(2 / 3)
    lenient = measured(replace(sample, absent=(1,), incomplete=(0,)), *rows)
    assert lenient["lvis_box/AP/deer"] == pytest.approx(1)
    assert "lvis_box/AP_rare" not in strict  # nobody said which class is


def test_an_absent_class_that_is_found_costs():
    with_otter, without = dataset_of([square(1, 0, 0)], []).samples
    for absent, expected in (((1,), 1 / 2), ((), 1)):
        dataset = Listed([replace(with_otter, absent=()), replace(without, absent=absent)])
        predictions = [(0, found((1, 0.5, 0, 0))), (1, found((1, 0.9, 0, 0)))]
        figures = Evaluator(dataset, metrics=["lvis"]).evaluate(predictions)
        assert figures["lvis_mask/AP/otter"] == pytest.approx(expected)


def test_three_hundred_of_an_image_count():
    (sample,) = dataset_of([square(0, 0, 0)]).samples
    alarms = [(1, 0.9, 0, 0)] * 300
    figures = measured(replace(sample, absent=(1,)), *alarms, (0, 0.5, 0, 0))
    assert figures["lvis_box/AR300"] == 0
    figures = measured(replace(sample, absent=(1,)), *alarms[1:], (0, 0.5, 0, 0))
    assert figures["lvis_box/AR300"] == pytest.approx(1)


def test_a_dataset_that_says_nothing_is_refused():
    dataset, predictions = crowded(0)
    with pytest.raises(ValueError, match="'lvis': the dataset does not say which classes"):
        Evaluator(dataset, metrics=["lvis"]).evaluate(predictions)
