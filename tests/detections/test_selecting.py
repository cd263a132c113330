"""Filters, orders and the best few, each against a condition written out."""

import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, probable, random_masks

BOXES = [[0, 10, 20, 30], [10, 10, 12, 50], [70, 55, 80, 60], [30, 20, 60, 40], [1.5, 2, 9, 8]]


def places(found, chosen):
    return [int(np.flatnonzero((found.boxes == box).all(axis=1))[0]) for box in chosen.boxes]


@pytest.mark.parametrize(
    "condition, expected",
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"side": (None, 10)}, [2, 4]),
        ({"side": (20, 30)}, [0, 3]),
        ({"area": (80, None)}, [0, 1, 3]),
        ({"area": (80, 400)}, [0, 1]),
        ({"area": (80, 400), "score": 0.85}, [0]),
        ({"within": (0, 0, 40, 50)}, [0, 1, 4]),
        ({"within": (1, 0, 40, 49)}, [4]),
        ({"at_edge": True}, [0, 2]),
        ({"at_edge": False}, [1, 3, 4]),
        ({"at_edge": False, "classes": ["otter", "deer"]}, [1, 3, 4]),
        ({"classes": "tiger"}, [2]),
        ({"score": 0.7}, [0, 1, 2]),
    ],
)
def test_filter(condition, expected):
    found = of_boxes(BOXES)
    assert places(found, found.filter(**condition)) == expected
    assert len(found[[]].filter(**condition)) == 0


def test_area_is_the_masks_where_there_are_masks():
    found = of_masks(random_masks())
    limit = float(np.median(found.area))
    kept = found.filter(area=(limit, None))
    assert kept.area.tolist() == [a for a in found.area if a >= limit] and len(kept) < len(found)


def test_an_object_within_a_pixel_of_the_border_is_at_the_edge():
    sides = [[0.9, 9, 20, 20], [9, 0.9, 20, 20], [9, 9, 79.1, 20], [9, 9, 20, 59.1]]
    assert len(of_boxes([*sides, [1.1, 1.1, 78.9, 58.9]]).filter(at_edge=True)) == 4


@pytest.mark.parametrize(
    "condition, message",
    [
        ({"area": 50}, r"area: expected \(least, most\).*50"),
        ({"side": (1, 2, 3)}, r"side: expected \(least, most\)"),
        ({"within": (5, 5, 1, 9)}, "within: expected x1 y1 x2 y2"),
        ({"within": (5, 5)}, "within: expected x1 y1 x2 y2"),
    ],
)
def test_wrong_conditions_are_refused(condition, message):
    with pytest.raises(ValueError, match=message):
        of_boxes(BOXES).filter(**condition)


@pytest.mark.parametrize(
    "by, expected",
    [
        ("score", [3, 0, 2, 1, 4]),
        ("area", [3, 0, 1, 2, 4]),
        ("left", [0, 4, 1, 3, 2]),
        ("top", [4, 0, 1, 3, 2]),
        ("class", [0, 3, 1, 4, 2]),
    ],
)
def test_sorted(by, expected):
    found = of_boxes(BOXES, scores=[0.6, 0.3, 0.5, 0.9, 0.3])
    assert places(found, found.sorted(by)) == expected
    values = found.sorted(by, descending=by not in ("score", "area"))
    if by == "left":
        assert places(found, values) == expected[::-1]
    assert len(found[[]].sorted(by)) == 0


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match="score, area, class, left, top, got 'size'"):
        of_boxes(BOXES).sorted("size")


def test_top():
    found = probable(5, scores=[0.2, 0.9, 0.4, 0.9, 0.1])
    assert np.array_equal(found.top(3).boxes, found.boxes[[1, 3, 2]])
    assert np.array_equal(found.top(3).masks, found.masks[[1, 3, 2]])
    assert [len(found.top(n)) for n in (0, -1, 5, 99)] == [0, 0, 5, 5]
