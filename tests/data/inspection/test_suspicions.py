"""Suspicious annotations, each drawn by hand; and their sound neighbours."""

import numpy as np
import pytest

from kmaskrcnn.data import Instance
from kmaskrcnn.data.inspection.suspicions import copies, findings, measure
from kmaskrcnn.data.rle import encode

SIZE = (60, 80)
BOX = (10, 10, 40, 30)


def rectangle(x1, y1, x2, y2) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)


def painted(x1, y1, x2, y2) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[y1:y2, x1:x2] = True
    return mask


STAR = np.array([[20, 5], [30, 40], [5, 18], [35, 18], [10, 40]], float)
NAN = float("nan")


def kinds(instance) -> list[str]:
    return [kind for kind, _ in findings(instance, measure(instance), SIZE)]


@pytest.mark.parametrize(
    "instance, expected",
    [
        (Instance(0, box=BOX), []),
        (Instance(0, [rectangle(*BOX)], box=BOX), []),
        (Instance(0, painted(*BOX), box=BOX), []),
        (Instance(0, encode(painted(*BOX))), []),
        (Instance(0, [rectangle(*BOX), rectangle(50, 5, 60, 9)]), []),
        (Instance(0, box=(10, 10, 10, 30)), ["object without an area"]),
        (Instance(0, box=(NAN, 10, 20, 30)), ["object without an area"]),
        (Instance(0, box=(1e300, 10, -1e300, 30)), ["object without an area"]),
        (Instance(0, [np.array([[1, 1], [-1e300, 5], [-9, 9]])]), ["reaches out of the image"]),
        (Instance(0), ["object without an area"]),
        (Instance(0, []), ["object without an area"]),
        (Instance(0, np.zeros(SIZE, bool)), ["object without an area"]),
        (Instance(0, np.zeros(SIZE, bool), box=BOX), ["object without an area"]),
        (Instance(0, box=(70, 50, 90, 59)), ["reaches out of the image"]),
        (Instance(0, box=(-3, 5, 20, 20)), ["reaches out of the image"]),
        (Instance(0, box=(-0.5, 0, 80.9, 30)), []),
        (Instance(0, box=(5, 5, 8, 10)), ["tiny"]),
        (Instance(0, painted(5, 5, 8, 10)), ["tiny"]),
        (Instance(0, box=(5, 5, 8, 10), crowd=True), []),
        (Instance(0, box=(5, 5, 8, 10), area=100), []),
        (Instance(0, box=(0, 0, 80, 60)), ["as large as the image"]),
        (Instance(0, [rectangle(*BOX)], box=(20, 20, 60, 50)), ["box that is not its mask's"]),
        (Instance(0, [rectangle(*BOX)], box=(11, 10, 41, 31)), []),
        (Instance(0, [rectangle(5, 5, 10, 9)], box=(5, 6, 7, 9)), []),
        (Instance(0, [STAR]), ["outline that crosses itself"]),
        (Instance(0, [rectangle(*BOX)[[0, 2, 1, 3]]]), ["outline that crosses itself"]),
    ],
)
def test_what_looks_wrong(instance, expected):
    found = kinds(instance)
    assert [kind for kind in found if kind in expected or kind != "tiny"] == expected


def test_touching_is_no_crossing():
    """A path that comes back to a point, repeats one, and runs back along itself."""
    eight = np.array([[0, 0], [20, 20], [40, 0], [40, 40], [20, 20], [0, 40]], float)
    assert kinds(Instance(0, [eight])) == []
    comb = np.array([[0, 0], [40, 0], [40, 0], [40, 30], [20, 30], [20, 50], [20, 30], [0, 30]])
    assert kinds(Instance(0, [comb.astype(float)])) == []


def test_a_crossing_is_found_in_a_long_outline():
    angles = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    circle = np.stack([40 + 20 * np.cos(angles), 30 + 20 * np.sin(angles)], axis=1)
    assert kinds(Instance(0, [circle])) == []
    circle[[700, 710]] = circle[[710, 700]]
    assert kinds(Instance(0, [circle])) == ["outline that crosses itself"]


def test_areas():
    assert measure(Instance(0, [rectangle(*BOX), rectangle(50, 5, 60, 9)])).area == 640
    assert measure(Instance(0, painted(*BOX))).area == measure(Instance(0, box=BOX)).area == 600
    assert measure(Instance(0, encode(painted(*BOX)))).area == 600
    assert measure(Instance(0, [rectangle(*BOX)], area=7)).area == 7


def test_the_same_box_of_the_same_class():
    boxes = [
        BOX,
        (30, 30, 50, 50),
        (10.2, 10, 40, 30),
        (10, 10, 40, 20),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
    ]
    instances = [Instance(0, box=box) for box in boxes]
    instances += [Instance(1, box=BOX), Instance(0, box=BOX, crowd=True)]
    found = list(copies(instances, [measure(i) for i in instances], SIZE))
    assert [(first, second, kind) for first, second, (kind, _) in found] == [
        (0, 2, "twice"),
        (0, 6, "two classes in one place"),
        (2, 6, "two classes in one place"),
    ]
    assert list(copies([], [], SIZE)) == []


def test_masks_that_nearly_cover_each_other():
    """The boxes of both pairs overlap by 0.81, the masks of the first by as much."""
    tall, wide = rectangle(10, 10, 30, 30), rectangle(12, 10, 30, 30)
    corner = np.array([[12, 10], [30, 10], [30, 30], [28, 12]], float)
    for other, expected in ((wide, ["almost twice"]), (corner, [])):
        pair = [Instance(0, [tall], annotation_id="first"), Instance(0, [other])]
        found = [finding for *_, finding in copies(pair, [measure(i) for i in pair], SIZE)]
        assert [kind for kind, _ in found] == expected
        assert all("IoU 0.90 with annotation first" in detail for _, detail in found)
    boxes = [Instance(0, box=BOX), Instance(0, box=(12, 10, 40, 30))]
    assert list(copies(boxes, [measure(i) for i in boxes], SIZE)) == []


def test_many_objects_are_compared_in_blocks():
    boxes = [(x, y, x + 9, y + 9) for x in range(0, 300, 10) for y in range(0, 200, 10)]
    instances = [Instance(0, box=box) for box in [*boxes, boxes[5], boxes[599]]]
    found = copies(instances, [measure(i) for i in instances], (300, 300))
    assert [pair[:2] for pair in found] == [(5, 600), (599, 601)]
