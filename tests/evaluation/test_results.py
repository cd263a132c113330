"""Files of COCO results: the figures that others state for them, and what is refused."""

import json
import math

import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.evaluation import Evaluator, evaluate_coco
from tests.evaluation.cases import crowded
from tests.evaluation.test_coco import same, two_images
from tests.shared import shared_path

FOLDER = "datasets/coco_eval_vectors"
KINDS = {"bbox": "box", "segm": "mask", "keypoints": "keypoints"}
CASES = {
    "cocoapi_fakebbox100": None,
    "cocoapi_fakesegm100": None,
    "keypoints_small": None,
    "tiny_gt_dt_bbox": None,
    "tiny_gt_dt_segm": None,
    "tiny_gt_dt_segm_without_dt_bbox": lambda r: [without(entry, "bbox") for entry in r],
    "ignore_bbox_score_ge_0.1": lambda r: [entry for entry in r if entry["score"] >= 0.1],
    "review_odm_bbox": None,
}


def without(entry, key):
    return {k: v for k, v in entry.items() if k != key}


@pytest.mark.parametrize("name", CASES)
def test_known_figures(name, tmp_path):
    """The vectors that pycocotools' own repository and others state, to all their digits."""
    folder = shared_path(FOLDER)
    expected = json.loads((folder / "expected.json").read_text())
    assert set(expected) == set(CASES)
    case = expected[name]
    results = folder / case["dt"].split()[0]
    if CASES[name]:
        changed = CASES[name](json.loads(results.read_text()))
        results = tmp_path / "results.json"
        results.write_text(json.dumps(changed))
    dataset = CocoDataset(folder / case["gt"], photographs=False)
    assert not dataset[0].image.exists()
    got = evaluate_coco(dataset, results)
    kind = KINDS[case["iouType"]]
    stats = {k: math.nan if v == -1 else v for k, v in case["stats"].items()}
    same({key: got[f"{kind}/{key}"] for key in stats}, stats)


def test_a_file_of_our_own_detections_gives_their_figures(tmp_path):
    dataset, found = crowded(3, images=6)
    results = [r for i, d in found for r in d.to_coco(dataset[i].image_id)]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    expected = evaluate_coco(dataset, found)
    same(boxes(evaluate_coco(dataset, path)), boxes(expected))
    path.write_text(json.dumps([without(r, "bbox") for r in results]))  # else sized by the box
    same(masks(evaluate_coco(dataset, path)), masks(expected))
    path.write_text("[]")
    assert evaluate_coco(dataset, path)["mask/AP"] == 0


def boxes(figures):
    return {k: v for k, v in figures.items() if k.startswith("box")}


def masks(figures):
    return {k: v for k, v in figures.items() if k.startswith("mask")}


ENTRY = {"image_id": 7, "category_id": 1, "bbox": [5, 5, 20, 20], "score": 0.5}
CODE = {"size": [80, 90], "counts": [0, 7200]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": 99}, "entry 1: image_id 99 is not among the dataset's, which are 7, 8, 9"),
        ({"image_id": [7]}, r"entry 1: image_id \[7\] is not among"),
        ({"category_id": 4}, "category_id 4 is not among"),
        ({"score": "high"}, "entry 1: score: expected 1 finite numbers, got \\['high'\\]"),
        ({"score": math.nan}, "score: expected 1 finite"),
        ({"bbox": [1, 2, 3]}, "bbox: expected 4 finite numbers"),
        ({"bbox": [1, 2, 3, 10**400]}, "bbox: expected 4 finite numbers"),
        ({"segmentation": {"size": [9, 9], "counts": [0, 81]}}, r"size \[80, 90\] .* as the image"),
        ({"segmentation": {**CODE, "counts": [3, 4]}}, "entry 1: .*a run-length code"),
        ({"segmentation": {**CODE, "counts": "~~"}}, "entry 1: a compressed"),
        ({"segmentation": [[1, 2, 3]]}, "expected run lengths or polygons"),
        ({"segmentation": 5}, "expected run lengths or polygons, got 5"),
    ],
)
def test_what_cannot_be_measured_is_named(changes, message, tmp_path):
    first = {**ENTRY, "segmentation": CODE} if "segmentation" in changes else ENTRY
    path = tmp_path / "results.json"
    path.write_text(json.dumps([first, {**first, **changes}]))
    with pytest.raises(DataError, match=message):
        Evaluator(two_images()).evaluate(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": []}, "not COCO results: expected a list"),
        ([3], "not COCO results: expected a list"),
        ([{"image_id": 7, "category_id": 1, "score": 1}], "entry 0: expected one of bbox"),
        ([ENTRY, without(ENTRY, "bbox")], "entry 1: no bbox, which entry 0 has"),
    ],
)
def test_what_is_no_file_of_results(content, message, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        evaluate_coco(two_images(), path)


def test_polygons_far_outside_end_at_the_image(tmp_path):
    path = tmp_path / "results.json"
    square = [-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8]
    path.write_text(json.dumps([{**without(ENTRY, "bbox"), "segmentation": [square]}]))
    assert evaluate_coco(two_images(), path)["mask/AP"] == 0
