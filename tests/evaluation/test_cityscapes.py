"""Cityscapes' AP: the official scripts' own answers, and its rules one by one."""

import math

import numpy as np
import pytest

from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.evaluation import Evaluator
from kmaskrcnn.ops.regions import tight_region
from kmaskrcnn.structures import Detections
from tests.evaluation.cases import SIZE, Listed, dataset_of, found, square

NAMES = ("person", "rider", "car")  # whose ids are 24, 25 and 26
VOID = 4  # the id of "static"
# of cityscapesScripts 2.3.0 for `street(…)`: AP and AP50 of all, of person, rider and car
ANSWERS = {
    0: [
        *(0.14347959971152335, 0.42566930376734397, 0.06461016125002927, 0.38592178236232866),
        *(0.11102184335883813, 0.3197910841152468, 0.2548067945257027, 0.5712950448244565),
    ],
    1: [
        *(0.1341584774984926, 0.4256351664593016, 0.14616421005147617, 0.328564124214279),
        *(0.1447296548767137, 0.42948179271708686, 0.11158156756728795, 0.518859582446539),
    ],
}


def id_map(rng, size=(96, 128)):
    """A picture of ids as gtFine's: 26 is a group of cars, 26003 the third car, 4 is void."""
    ids = np.full(size, 7)  # road
    for number in range(12):
        left, top = rng.integers(0, size[1] - 20), rng.integers(0, size[0] - 20)
        width, height = rng.integers(5, 45, 2)
        kind, label = rng.random(), 24 + rng.integers(0, 3)
        value = label if kind < 0.15 else VOID if kind < 0.3 else 1000 * label + number
        ids[top : top + height, left : left + width] = value
    return ids


def street(seed, images=5):
    """A dataset of such pictures, and what a poor model finds, masks (N, H, W) among it."""
    rng = np.random.default_rng(seed)
    samples, predictions, masks = [], [], []
    for index in range(images):
        ids = id_map(rng)
        values = [v for v in np.unique(ids).tolist() if v not in (7, VOID)]
        labels = [(v // 1000 if v >= 1000 else v) - 24 for v in values]
        instances = [
            Instance(label, ids == value, crowd=value < 1000)
            for label, value in zip(labels, values, strict=True)
        ]
        image = ids.astype(np.uint16)
        samples.append(Sample(image, instances, index, ids.shape, void=ids == VOID))
        masks.append([moved(rng, i.mask) for i in instances * 2])
        wrong = rng.random(len(masks[-1])) < 0.2
        labels = np.where(wrong, rng.integers(0, 3, len(wrong)), labels * 2)
        scores = rng.integers(1, 12, len(labels)) / 16  # ties, exact as float32
        regions = [tight_region(mask) for mask in masks[-1]]
        boxes = np.array([region.window for region in regions], float).reshape(-1, 4)
        fields = {"mask_regions": regions}
        predictions.append((index, Detections(boxes, scores, labels, NAMES, ids.shape, **fields)))
    return Listed(samples, NAMES), predictions, masks


def moved(rng, mask):
    """A mask a few pixels away, with holes, or without any pixel."""
    mask = np.roll(mask, rng.integers(-4, 5, 2), (0, 1))
    return mask & (rng.random(mask.shape) < rng.choice([0, 0.7, 1], p=[0.1, 0.2, 0.7]))


def measured(dataset, predictions):
    return Evaluator(dataset, metrics=["cityscapes"]).evaluate(predictions)


@pytest.mark.parametrize("seed", ANSWERS)
def test_answers_of_the_official_scripts(seed):
    dataset, predictions, _ = street(seed)
    figures = measured(dataset, predictions)
    names = ["", *(f"/{name}" for name in NAMES)]
    got = [figures[f"cityscapes/{key}{name}"] for name in names for key in ("AP", "AP50")]
    assert got == pytest.approx(ANSWERS[seed], abs=1e-12)


def test_by_hand():
    """Two deer; one found at 0.9, a false alarm at 0.8: recall 1/2 at precisions 1 and 1/2.

    Points (1/2, 1/2), (1/2, 1), (0, 1): each counts half the way between its neighbours.
    """
    dataset = dataset_of([square(0, 0, 0), square(0, 30, 0)])
    figures = measured(dataset, [(0, found((0, 0.9, 0, 0), (0, 0.8, 0, 50)))])
    assert figures["cityscapes/AP50"] == pytest.approx(0.5 * (0.5 - 0.5) / 2 + 0.25 + 0.25)
    assert figures["cityscapes/AP"] == figures["cityscapes/AP/deer"] == pytest.approx(0.5)
    assert math.isnan(figures["cityscapes/AP/tiger"])


def alarm(dataset):
    """AP of the deer at 0 0, found at 0.5, with another found at 40 40 and 0.9."""
    rows = [(0, 0.9, 40, 40), (0, 0.5, 0, 0)]
    return measured(dataset, [(0, found(*rows))])["cityscapes/AP50"]


def test_what_is_left_out_is_neither_right_nor_wrong():
    there = square(0, 0, 0)
    assert alarm(dataset_of([there])) < 0.9
    assert alarm(dataset_of([there, square(0, 35, 35, 40, crowd=True)])) == pytest.approx(1)
    assert alarm(dataset_of([there, square(1, 35, 35, 40, crowd=True)])) < 0.9
    void = np.zeros(SIZE, bool)
    void[40:51, 40:60] = True  # more than half of it
    (sample,) = dataset_of([there]).samples
    assert alarm(Listed([Sample(sample.image, [there], 0, SIZE, void=void)])) == pytest.approx(1)
    void[50] = False
    assert alarm(Listed([Sample(sample.image, [there], 0, SIZE, void=void)])) < 0.9


def test_objects_below_100_pixels_need_not_be_found():
    small, large = square(0, 40, 40, 9), square(0, 40, 40, 10)
    rows = [(0, found((0, 0.5, 0, 0)))]
    assert measured(dataset_of([square(0, 0, 0), small]), rows)["cityscapes/AP50"] == 1
    assert measured(dataset_of([square(0, 0, 0), large]), rows)["cityscapes/AP50"] < 0.9


def test_nothing_found():
    assert measured(dataset_of([square(0, 0, 0)], []), [])["cityscapes/AP"] == 0
    assert math.isnan(measured(dataset_of([]), [])["cityscapes/AP"])
