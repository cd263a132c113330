"""What is found ordinary in arrays is what would pass one by one; nothing else is."""

import gc

import numpy as np
import pytest

from kmaskrcnn.data.formats import coco, coco_scan
from kmaskrcnn.data.formats.coco import CocoDataset
from tests.data.samples import annotation, coco_content, write_coco
from tests.data.test_bad_input import ANNOTATIONS, UNREADABLE

CODE = {"size": [20, 30], "counts": [100, 50, 450]}
SOUND = {
    "polygons": annotation(segmentation=[[1, 1, 9, 1, 9, 9], [2, 2, 5.5, 2, 4, 8, 3, 3]]),
    "over the edge by a pixel": annotation(segmentation=[[-1, -1, 31, 1, 9, 21]]),
    "code": annotation(segmentation=CODE),
    "compressed code": annotation(segmentation={"size": [20, 30], "counts": "T3b1R>"}),
    "box alone": annotation(segmentation=[]),
    "no box": annotation(bbox=None),
    "a word in the place of the area": annotation(area="large"),
    "crowd": annotation(iscrowd=1, segmentation=CODE),
    "without an id": {k: v for k, v in annotation().items() if k != "id"},
    "an id of text": annotation(id="a7"),
    "no keypoints": annotation(keypoints=[]),
}
DOUBTFUL = {
    "thin": annotation(segmentation=[[1, 1, 9, 9, 5, 5.00000001]]),
    "eight": annotation(segmentation=[[0, 0, 9, 9, 9, 0, 0, 9]]),
    "beside the image": annotation(segmentation=[[30, 1, 30.9, 1, 30.5, 9]]),
    "above the image": annotation(segmentation=[[1, 0, 9, 0, 5, -1]]),
    "flat list": annotation(segmentation=[1, 1, 9, 1, 9, 9]),
    "five numbers": annotation(bbox=[1, 1, 5, 5, 5]),
    "box of zeros": annotation(bbox=[0, 0, 0, 0]),
    "far box": annotation(bbox=[1e308, 1, 1e308, 5]),
    "keypoints without names": annotation(keypoints=[1, 1, 2]),
    "an image as a number with a point": annotation(image_id=1.0),
}


def opened(folder, annotations, monkeypatch, all_doubtful=False, **changes):
    """Objects as comparable tuples, and the report's lines; perhaps all looked at one by one."""

    def doubtful(*arguments):
        found = coco_scan.scan(*arguments)
        return found._replace(ordinary=np.zeros_like(found.ordinary))

    monkeypatch.setattr(coco, "scan", doubtful if all_doubtful else coco_scan.scan)
    dataset = CocoDataset(
        write_coco(folder, coco_content(annotations, **changes)), skip_broken=True
    )
    report = {kind: sorted(dataset.report.places(kind)) for kind in dataset.report.counts}
    return [repr(vars(i)) for i in dataset[0].instances], report, dataset.class_counts()


EVERY = {**{k: v[0] for k, v in ANNOTATIONS.items()}, **SOUND, **DOUBTFUL} | {
    name: annotation(**changes) for name, changes in UNREADABLE.items()
}


@pytest.mark.parametrize("bad", EVERY.values(), ids=EVERY.keys())
def test_the_same_as_one_by_one(tmp_path, monkeypatch, bad):
    annotations = [annotation(id=1), bad, annotation(id=2, category_id=5), annotation(id=2)]
    fast = opened(tmp_path, annotations, monkeypatch)
    assert fast == opened(tmp_path, annotations, monkeypatch, all_doubtful=True)


@pytest.mark.parametrize("seed", range(6))
def test_random_annotations_are_the_same_as_one_by_one(tmp_path, monkeypatch, seed):
    """Coordinates in and out of the image, few points, ids that repeat, wrong types."""
    rng = np.random.default_rng(seed)
    values = [0, 1, 7, 29, 30, 31.5, -1, -2, 1e9, 20, 3.3, 12]
    annotations = []
    for number in range(60):
        points = rng.choice(values, rng.integers(4, 12)).tolist()
        box = rng.choice(values, rng.integers(3, 6) if number % 9 == 0 else 4).tolist()
        ids = {"id": int(rng.integers(50)), "image_id": int(rng.integers(1, 3))}
        segmentation = [[points], [points, [1, 1, 9, 1, 9, 9]], CODE, []][rng.integers(4)]
        annotations.append(annotation(**ids, bbox=box, segmentation=segmentation))
    fast = opened(tmp_path, annotations, monkeypatch)
    assert fast == opened(tmp_path, annotations, monkeypatch, all_doubtful=True)


def test_keypoints_are_the_same_as_one_by_one(tmp_path, monkeypatch):
    categories = [{"id": 1, "name": "cat", "keypoints": ["nose", "tail"]}, {"id": 5, "name": "dog"}]
    lists = [[1, 2, 2, 3, 4, 1], [1, 2, 2], [1, 2, 2, 3, 4, 7], [1, 2, 2, 3, 4], [0] * 6, [], None]
    annotations = [annotation(id=n, keypoints=points) for n, points in enumerate(lists, 1)]
    fast = opened(tmp_path, annotations, monkeypatch, categories=categories)
    slow = opened(tmp_path, annotations, monkeypatch, all_doubtful=True, categories=categories)
    assert fast == slow and len(fast[0]) == 4


@pytest.mark.parametrize("name", [n for n in SOUND if n != "an id of text"])
def test_what_is_sound_is_ordinary(tmp_path, monkeypatch, name):
    assert ordinary(tmp_path, monkeypatch, SOUND[name]) == [True, True, True]


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_not_is_doubtful(tmp_path, monkeypatch, name):
    found = ordinary(tmp_path, monkeypatch, DOUBTFUL[name])
    assert found == [True, name == "keypoints without names", True]


def ordinary(folder, monkeypatch, one):
    found = []
    monkeypatch.setattr(
        coco, "scan", lambda *arguments: found.append(coco_scan.scan(*arguments)) or found[0]
    )
    content = coco_content([annotation(id=1), one, annotation(id=2)])
    CocoDataset(write_coco(folder, content), skip_broken=True)
    return found[0].ordinary.tolist()


def test_chunks_end_anywhere(tmp_path, monkeypatch):
    annotations = [annotation(id=n, category_id=5 if n % 3 else 1) for n in range(20)]
    annotations[11]["segmentation"] = [[1, 1]]
    whole = opened(tmp_path, annotations, monkeypatch)
    for size in (1, 3, 19, 20, 21):
        monkeypatch.setattr(coco_scan, "CHUNK", size)
        assert opened(tmp_path, annotations, monkeypatch) == whole


def test_the_collector_is_left_as_it_was(tmp_path, monkeypatch):
    for switch in (gc.disable, gc.enable):
        switch()
        before = gc.isenabled()
        opened(tmp_path, [annotation()], monkeypatch)
        assert gc.isenabled() == before
