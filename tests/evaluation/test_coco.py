"""Figures equal to pycocotools', asked directly with the same files."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kmaskrcnn.data import DataError, Instance, Sample, ShapesDataset, load
from kmaskrcnn.data.rle import instance_rle
from kmaskrcnn.evaluation import Evaluator, evaluate_coco
from kmaskrcnn.structures import Detections
from tests.evaluation.cases import Listed, square
from tests.shared import shared_path

STATS = ["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"]
STATS += ["AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"]


def two_images():
    images = [[square(0, 5, 5), square(1, 40, 40)], [square(0, 30, 10)], []]
    samples = [Sample(f"{i}.png", found, i + 7, (80, 90)) for i, found in enumerate(images)]
    return Listed(samples, ["deer", "otter", "tiger"])


def perfect(dataset, index, **changes):
    """What a faultless model finds in a dataset of squares."""
    instances = [i for i in dataset[index].instances if not i.crowd]
    boxes = np.array([np.r_[i.mask[0].min(0), i.mask[0].max(0)] for i in instances]).reshape(-1, 4)
    fields = {
        "boxes": boxes,
        "scores": np.full(len(boxes), 0.9),
        "labels": [i.label for i in instances],
        "class_names": dataset.class_names,
        "image_size": (80, 90),
        "mask_probabilities": np.ones((len(boxes), 28, 28)),
    }
    return Detections(**fields | changes)


def jittered(dataset, *, seed=0, masks=True):
    """Truth that is moved, relabelled, left out and doubled: figures between 0 and 1."""
    rng = np.random.default_rng(seed)
    for index in range(len(dataset)):
        sample = dataset[index]
        boxes = np.array([i.box for i in sample.instances], np.float32).reshape(-1, 4)
        boxes = np.concatenate([boxes, boxes[::3]])
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        boxes = boxes + rng.normal(0, 0.08, boxes.shape) * sides
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
        labels = np.array([i.label for i in sample.instances], int)
        labels = np.concatenate([labels, labels[::3]])
        wrong = rng.random(len(labels)) < 0.1
        labels[wrong] = rng.integers(0, len(dataset.class_names), wrong.sum())
        keep = rng.random(len(labels)) < 0.85
        yield (
            index,
            Detections(
                boxes=boxes[keep],
                scores=rng.integers(1, 20, keep.sum()) / 20,  # ties
                labels=labels[keep],
                class_names=dataset.class_names,
                image_size=sample.size,
                mask_probabilities=rng.uniform(0.4, 1, (keep.sum(), 14, 14)) if masks else None,
            ),
        )


def asked_directly(truth_file, results, iou_type, image_ids):
    """COCOeval's stats and class APs, as its demo shows it."""
    truth = COCO(truth_file)
    if iou_type == "segm":
        results = [{k: v for k, v in r.items() if k != "bbox"} for r in results]
    evaluation = COCOeval(truth, truth.loadRes(results), iou_type)
    evaluation.params.imgIds = image_ids
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    names = [truth.cats[i]["name"] for i in evaluation.params.catIds]
    classes = {n: precision[:, :, i][precision[:, :, i] > -1] for i, n in enumerate(names)}
    stats = dict(zip(STATS, evaluation.stats, strict=True))
    stats |= {f"AP/{n}": v.mean() if v.size else -1 for n, v in classes.items()}
    return {key: math.nan if value == -1 else value for key, value in stats.items()}


def same(got, expected, tolerance=1e-9):
    assert set(got) == set(expected)
    wrong = {
        key: (got[key], expected[key])
        for key in got
        if not (abs(got[key] - expected[key]) <= tolerance or math.isnan(got[key] + expected[key]))
        or math.isnan(got[key]) != math.isnan(expected[key])
    }
    assert wrong == {}


@pytest.fixture(scope="module")
def photographs():
    """Sixty of them: the densest, and all with crowds."""
    dataset = load(shared_path("datasets/coco_openlicense/instances.json"))
    samples = [dataset[i] for i in range(len(dataset))]
    samples.sort(key=lambda s: (-any(i.crowd for i in s.instances), -len(s.instances)))
    listed = Listed(samples[:60], dataset.class_names)
    listed.category_ids = dataset.category_ids
    return listed


def test_equal_to_pycocotools_on_photographs_with_crowds(photographs):
    found = dict(jittered(photographs))
    del found[3], found[40]  # images without predictions
    got = evaluate_coco(photographs, found.items())
    ids = dict(zip(photographs.class_names, photographs.category_ids, strict=True))
    results = [r for i, d in found.items() for r in d.to_coco(photographs[i].image_id, ids)]
    for name, iou_type in (("box", "bbox"), ("mask", "segm")):
        file = str(shared_path("datasets/coco_openlicense/instances.json"))
        image_ids = [sample.image_id for sample in photographs.samples]
        expected = asked_directly(file, results, iou_type, image_ids)
        same(got, {f"{name}/{k}": v for k, v in expected.items()} | other(got, name))
    assert 0.1 < got["box/AP"] < 0.9 and 0.1 < got["mask/AP"] < 0.9


def other(figures, name):
    return {key: value for key, value in figures.items() if not key.startswith(name + "/")}


def test_the_order_of_images_and_predictions_changes_nothing(photographs):
    found = dict(jittered(photographs))
    order = np.random.default_rng(1).permutation(len(photographs))
    shuffled = Listed([photographs[int(i)] for i in order], photographs.class_names)
    moved = [(place, found[int(i)]) for place, i in enumerate(order)]
    same(evaluate_coco(shuffled, moved[::-1]), evaluate_coco(photographs, found.items()), 0)


def test_faultless_detections_and_a_class_without_truth():
    dataset = two_images()
    figures = evaluate_coco(dataset, ((i, perfect(dataset, i)) for i in range(3)))
    for name in ("box", "mask"):
        assert figures[f"{name}/AP"] == figures[f"{name}/AP/deer"] == pytest.approx(1)
        assert math.isnan(figures[f"{name}/AP/tiger"]) and math.isnan(figures[f"{name}/AP_large"])


def test_nothing_found_at_all():
    dataset = two_images()
    for predictions in ([], [(0, Detections.empty(dataset.class_names, (80, 90)))]):
        figures = evaluate_coco(dataset, predictions)
        assert figures["box/AP"] == figures["box/AR100"] == figures["box/AP/deer"] == 0
        assert math.isnan(figures["box/AP/tiger"])
    assert evaluate_coco(dataset, [])["mask/AP"] == 0


def test_a_missed_image_and_a_false_alarm_cost():
    dataset = two_images()
    half = evaluate_coco(dataset, [(0, perfect(dataset, 0))])
    assert half["box/AR100"] == pytest.approx(0.75) and half["box/AP/otter"] == pytest.approx(1)
    alarm = perfect(dataset, 1, scores=[0.95], image_size=(80, 90))
    worse = evaluate_coco(dataset, [(2, alarm), (0, perfect(dataset, 0)), (1, alarm)])
    assert worse["box/AP/deer"] < 0.9


def test_an_empty_dataset_has_no_figures():
    figures = evaluate_coco(Listed([Sample("a.png", (), 1, (80, 90))], ["deer"]), [])
    assert set(figures) >= {"box/AP", "mask/AP"} and all(math.isnan(v) for v in figures.values())


def test_crowds_are_neither_truth_nor_false_alarms():
    sample = two_images()[0]
    crowd = square(0, 5, 40, 30, crowd=True)
    dataset = Listed([replace(sample, instances=[*sample.instances, crowd])], ["deer", "otter"])
    found = perfect(two_images(), 0, class_names=["deer", "otter"])
    extra = perfect(
        Listed([replace(sample, instances=[square(0, 7, 42, 12)])], ["deer", "otter"]), 0
    )
    both = Detections(
        np.concatenate([extra.boxes, found.boxes]),
        [0.99, 0.9, 0.9],
        np.concatenate([extra.labels, found.labels]),
        ["deer", "otter"],
        (80, 90),
        np.ones((3, 28, 28)),
    )
    figures = evaluate_coco(dataset, [(0, both)])
    assert figures["box/AP"] == figures["mask/AP"] == pytest.approx(1)


def test_an_object_without_a_mask_is_ignored_for_masks_and_counted():
    dataset = load_like(
        Listed(
            [
                Sample(
                    "a.png",
                    [square(0, 5, 5), Instance(0, box=(40, 40, 60, 60), annotation_id=12)],
                    1,
                    (80, 90),
                )
            ],
            ["deer"],
        )
    )
    only_first = perfect(Listed([Sample("a.png", [square(0, 5, 5)], 1, (80, 90))], ["deer"]), 0)
    figures = evaluate_coco(dataset, [(0, only_first)])
    assert figures["mask/AP"] == pytest.approx(1) and figures["box/AR100"] == pytest.approx(0.5)
    assert "annotation 12" in str(dataset.report)
    boxes_only = Listed([Sample("a", [Instance(0, box=(4, 4, 9, 9))], 1, (80, 90))], ["deer"])
    assert not [key for key in evaluate_coco(boxes_only, []) if key.startswith("mask")]


def load_like(dataset):
    from kmaskrcnn.data import Report

    dataset.report = Report()
    return dataset


def test_detections_without_masks_are_measured_by_boxes_only(photographs):
    figures = evaluate_coco(photographs, jittered(photographs, masks=False))
    assert figures["box/AP"] > 0.1 and not [key for key in figures if key.startswith("mask")]


def test_truth_is_read_once_and_holds_no_image_sized_mask():
    class Counting(Listed):
        reads = 0

        def __getitem__(self, index):
            self.reads += 1
            return self.samples[index]

    shapes = ShapesDataset(4)
    dataset = Counting([shapes[i] for i in range(4)], shapes.class_names)
    evaluator = Evaluator(dataset)
    assert dataset.reads == 0
    first = evaluator.evaluate([])
    assert evaluator.evaluate([]).keys() == first.keys() and dataset.reads == 4
    assert all(isinstance(mask, bytes) for mask in evaluator.truth.objects.masks)


def test_every_form_of_mask_gives_the_same_run_lengths():
    polygon = square(0, 5, 9).mask
    bitmap = np.zeros((80, 90), bool)
    bitmap[9:29, 5:25] = True
    compressed = instance_rle(Instance(0, bitmap), (80, 90))
    counts = [5 * 80 + 9] + [20, 60] * 19 + [20]
    counts.append(80 * 90 - sum(counts))
    forms = [polygon, bitmap, compressed, {"size": [80, 90], "counts": counts}]
    forms.append({"size": [80, 90], "counts": compressed["counts"].decode()})
    forms += [replace(square(0, 0, 0), mask=None, box=(5, 9, 25, 29)).mask]
    for mask in forms:
        rle = instance_rle(Instance(0, mask, box=(5, 9, 25, 29)), (80, 90))
        assert rle["counts"] == compressed["counts"]
    with pytest.raises(DataError, match="run-length code"):
        instance_rle(Instance(0, {"size": [80, 90], "counts": [3, 4]}), (80, 90))


def test_many_objects_of_one_class_need_a_higher_limit():
    instances = [square(0, 4 * (i % 20), 4 * (i // 20), 3) for i in range(150)]
    dataset = Listed([Sample("a.png", instances, 1, (80, 90))], ["nucleus"])
    found = [(0, perfect(dataset, 0))]
    assert evaluate_coco(dataset, found)["box/AR100"] == pytest.approx(100 / 150, abs=0.01)
    figures = evaluate_coco(dataset, found, max_detections=(1, 100, 500))
    assert figures["box/AR500"] == figures["box/AP"] == pytest.approx(1)
    with pytest.raises(ValueError, match="3 rising numbers, got"):
        Evaluator(dataset, max_detections=(100,))


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        (lambda d: [(3, perfect(d, 0))], "got 3: the dataset has 3"),
        (lambda d: [(0, perfect(d, 0)), (0, perfect(d, 0))], "got 0: it came twice"),
        (lambda d: [(0, perfect(d, 0, image_size=(90, 80)))], r"truth is of \(80, 90\)"),
        (lambda d: [(0, perfect(d, 0, class_names=["deer", "hare", "otter"]))], "hare"),
        (
            lambda d: [(0, perfect(d, 0)), (1, perfect(d, 1, mask_probabilities=None))],
            "in all detections or in none",
        ),
    ],
)
def test_wrong_predictions_are_refused(predictions, message):
    dataset = two_images()
    with pytest.raises(ValueError, match=message):
        evaluate_coco(dataset, predictions(dataset))


def test_classes_in_another_order_are_the_same_classes():
    dataset = two_images()
    turned = [(i, perfect(dataset, i)) for i in range(3)]
    turned = [
        (i, replace(d, labels=2 - d.labels, class_names=dataset.class_names[::-1]))
        for i, d in turned
    ]
    assert evaluate_coco(dataset, turned)["box/AP"] == pytest.approx(1)


def test_nothing_is_printed(capsys):
    dataset = two_images()
    evaluate_coco(dataset, [(0, perfect(dataset, 0))])
    assert capsys.readouterr().out == ""
