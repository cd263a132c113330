"""AP of keypoints, equal to pycocotools' asked directly with the same files."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.classes import COCO_KEYPOINTS, mirrored
from kmaskrcnn.data import DataError, InputSize, Instance, Order, Sample, batches, load
from kmaskrcnn.data.augmentation.views import sample_view
from kmaskrcnn.data.geometry import invert, warp_points
from kmaskrcnn.evaluation import Evaluator, evaluate_coco
from kmaskrcnn.ops.keypoints import decode_heatmaps, keypoint_targets
from kmaskrcnn.structures import Detections
from tests.data.samples import source_of
from tests.evaluation.test_coco import Listed, same
from tests.shared import shared_path

STATS = ["AP", "AP50", "AP75", "AP_medium", "AP_large"]
STATS += ["AR", "AR50", "AR75", "AR_medium", "AR_large"]
PEOPLE = "datasets/coco_keypoints60/person_keypoints.json"


def person(x, y, side=20, **rest):
    """Three keypoints in a square, the last one not labelled."""
    points = np.array([[x + 0.3 * side, y, 2], [x + 0.7 * side, y + side, 1], [0, 0, 0]])
    return Instance(0, box=(x, y, x + side, y + side), keypoints=points, **rest)


def people(*images):
    samples = [Sample(f"{i}.png", found, i + 7, (80, 90)) for i, found in enumerate(images)]
    dataset = Listed(samples, ["person"])
    dataset.keypoint_names = ("nose", "left_hand", "right_hand")
    return dataset


def as_found(dataset, index, *, noise=0.0, shares=1.0, seed=0, **changes):
    """The truth as a model's answer, moved by ``noise`` of an object's size."""
    rng = np.random.default_rng([seed, index])
    sample = dataset[index]
    there = [i for i in sample.instances if (i.keypoints[:, 2] > 0).any()]
    kept = [i for i in there if rng.random() < shares]
    boxes = np.array([i.box for i in kept], np.float32).reshape(-1, 4)
    points = np.array([i.keypoints for i in kept]).reshape(-1, len(dataset.keypoint_names), 3)
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))[:, None, None]
    points[..., :2] += noise * sides * rng.normal(size=points[..., :2].shape)
    fields = {
        "boxes": boxes,
        "scores": rng.integers(1, 20, len(boxes)) / 20,  # ties
        "labels": [i.label for i in kept],
        "class_names": dataset.class_names,
        "image_size": sample.size,
        "keypoints": points,
        "keypoint_names": dataset.keypoint_names,
    }
    return Detections(**fields | changes)


def test_equal_to_pycocotools_on_photographs():
    path = shared_path(PEOPLE)
    dataset = load(path)
    found = {i: as_found(dataset, i, noise=0.05, shares=0.9) for i in range(3, len(dataset))}
    got = evaluate_coco(dataset, found.items())
    results = [r for i, d in found.items() for r in d.to_coco(dataset[i].image_id)]
    truth = COCO(str(path))
    evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    expected = dict(zip(STATS, evaluation.stats, strict=True))
    expected["AP/person"] = expected["AP"]
    keypoints = {k: v for k, v in got.items() if k.startswith("keypoints/")}
    same(keypoints, {f"keypoints/{k}": v for k, v in expected.items()})
    assert 0.1 < got["keypoints/AP"] < 0.9 and got["keypoints/AP_medium"] > 0.1


def test_the_truth_of_photographs_is_faultless():
    dataset = load(shared_path(PEOPLE))
    figures = evaluate_coco(dataset, ((i, as_found(dataset, i)) for i in range(len(dataset))))
    for name in STATS:
        assert figures[f"keypoints/{name}"] == pytest.approx(1), name


@pytest.mark.parametrize("augmentation", ["none", "flip"])
def test_a_perfect_head_on_the_true_boxes_is_nearly_faultless(augmentation):
    """File → view → cells of heatmaps → their peaks → back to the file's pixels.

    What is missing: cells have a width, and keypoints outside of their box have no cell.
    """
    dataset = part_of(load(shared_path(PEOPLE)), range(20, 28))
    options = InputSize(400, 666), Order(batch_size=1, seed=3)
    predictions, mirrors, source = [], 0, source_of(dataset, 400, 666)
    for _, targets in batches(dataset, *options, augmentation=augmentation):
        index = int(targets["image_indices"][0])
        size, rng = dataset[index].size, np.random.default_rng([3, 0, index])
        view = sample_view(source, size, Augmentation.named(augmentation), rng)
        found = perfect_head({key: value[0].numpy() for key, value in targets.items()})
        found[..., :2] = warp_points(found[..., :2], invert(view.matrix))
        if np.linalg.det(view.matrix[:, :2]) < 0:
            found, mirrors = found[:, mirrored(COCO_KEYPOINTS)], mirrors + 1
        predictions.append((index, answer(dataset, size, found)))
    figures = evaluate_coco(dataset, predictions)
    assert figures["keypoints/AP"] > 0.9 and figures["keypoints/AP75"] == pytest.approx(1)
    assert (mirrors > 0) == (augmentation == "flip")


def perfect_head(targets):
    """(K, 17, 3) decoded from heatmaps that are hot in the right cells of the true boxes."""
    cells, valid = keypoint_targets(targets["keypoints"], targets["boxes"], 56)
    usable = np.any(valid, axis=1) & ~targets["crowd"]
    heatmaps = 20 * np.eye(56**2, dtype=np.float32)[cells.numpy()[usable]]
    heatmaps = np.moveaxis(heatmaps.reshape(-1, 17, 56, 56), 1, -1)
    return decode_heatmaps(heatmaps, targets["boxes"][usable])


def answer(dataset, size, keypoints):
    count = len(keypoints)
    boxes = np.concatenate([keypoints[..., :2].min(1), keypoints[..., :2].max(1)], axis=1)
    return Detections(
        boxes, np.ones(count), [0] * count, dataset.class_names, size, keypoints=keypoints
    )


def part_of(dataset, indices):
    """Some of its images."""
    listed = Listed([dataset[i] for i in indices], dataset.class_names)
    listed.keypoint_names = dataset.keypoint_names
    return listed


def oks(found, truth, area, sigma):
    """Object keypoint similarity as its definition is written (cocodataset.org)."""
    terms = [
        math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * area * (2 * sigma) ** 2))
        for (x, y, _), (a, b, visibility) in zip(found, truth, strict=True)
        if visibility > 0
    ]
    return sum(terms) / len(terms)


@pytest.mark.parametrize("sigma", [None, 0.05])
def test_a_moved_person_counts_up_to_its_similarity(sigma):
    """Of the ten thresholds 0.50, 0.55 … 0.95, those below the similarity are met."""
    dataset = people([person(20, 30, 40, area=1600)])
    found = as_found(dataset, 0)
    moved = replace(found, keypoints=found.keypoints + [3, -2, 0])
    options = {} if sigma is None else {"keypoint_sigmas": [sigma] * 3}
    figures = evaluate_coco(dataset, [(0, moved)], **options)
    similarity = oks(moved.keypoints[0], dataset[0].instances[0].keypoints, 1600, sigma or 0.0669)
    met = sum(similarity >= t for t in np.linspace(0.5, 0.95, 10))
    assert 1 < met < 10
    assert figures["keypoints/AP"] == pytest.approx(met / 10)


def test_people_without_labelled_keypoints_are_ignored():
    unknown = Instance(0, box=(50, 50, 70, 70))
    dataset = people([person(5, 5), unknown, person(40, 5, crowd=True)], [])
    figures = evaluate_coco(dataset, [(0, as_found(people([person(5, 5)]), 0))])
    assert figures["keypoints/AR"] == pytest.approx(1)
    assert figures["box/AR100"] == pytest.approx(0.5)


def test_nobody_found_and_nobody_there():
    dataset = people([person(5, 5)], [])
    for predictions in ([], [(0, as_found(people([]), 0))]):
        assert evaluate_coco(dataset, predictions)["keypoints/AP"] == 0
    figures = evaluate_coco(people([]), [(0, as_found(people([]), 0))])
    assert math.isnan(figures["keypoints/AP"]) and math.isnan(figures["keypoints/AR_large"])


def test_only_where_both_sides_have_keypoints():
    dataset = people([person(5, 5)])
    plain = replace(as_found(dataset, 0), keypoints=None)
    assert not [k for k in evaluate_coco(dataset, [(0, plain)]) if k.startswith("keypoints")]
    unnamed = Listed(dataset.samples, ["person"])
    figures = evaluate_coco(unnamed, [(0, as_found(dataset, 0))])
    assert not [k for k in figures if k.startswith("keypoints")] and "box/AP" in figures


def test_what_does_not_fit_is_refused():
    dataset = people([person(5, 5)], [person(30, 30)])
    found = as_found(dataset, 0)
    for changes in ({"keypoint_names": ("a", "b", "c")}, {"keypoints": np.zeros((1, 2, 3))}):
        other = replace(found, **{"keypoint_names": (), **changes})
        with pytest.raises(ValueError, match=r"image 0: the truth's keypoints are .* got"):
            evaluate_coco(dataset, [(0, other)])
    plain = replace(as_found(dataset, 1), keypoints=None)
    with pytest.raises(ValueError, match="expected keypoints in all detections or in none"):
        evaluate_coco(dataset, [(0, found), (1, plain)])
    for sigmas in ([0.1], [0.1, 0.1, 0]):
        with pytest.raises(ValueError, match="keypoint_sigmas: expected 3 numbers above 0"):
            Evaluator(dataset, keypoint_sigmas=sigmas)
    dataset.keypoint_names = ("nose",)
    with pytest.raises(DataError, match=r"0\.png, annotation None: keypoints of shape \(3, 3\)"):
        evaluate_coco(dataset, [])
