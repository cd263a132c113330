"""Pictures: which images, which objects, in which colours, and cut where."""

import base64
import re

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import Sample
from kmaskrcnn.evaluation import analyse
from kmaskrcnn.ops.regions import Region, to_mask
from kmaskrcnn.report import gallery, scenes
from kmaskrcnn.report.gallery import Gallery, around, best_and_worst
from kmaskrcnn.report.scenes import MISSED, RIGHT, WRONG, Object, cut, draw
from tests.evaluation.cases import SIZE, Listed, found, square

BLACK = np.zeros((*SIZE, 3), np.uint8)


def dataset_of(*images):
    return Listed([Sample(BLACK, there, f"image {i}", SIZE) for i, there in enumerate(images)])


@pytest.fixture(scope="module")
def deer_and_otter():
    """A deer that is found, an otter that is missed, and a tiger that is not there."""
    dataset = dataset_of([square(0, 5, 5), square(1, 60, 50)])
    predictions = [(0, found((0, 0.9, 5, 5), (2, 0.95, 5, 50)))]
    return dataset, analyse(dataset, predictions)


def pixels(picture):
    data = base64.b64decode(re.search(r"base64,([^\"]+)", picture)[1])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def hue_of(color):
    """A colour without its brightness."""
    return np.asarray(color) / max(color)


def test_truth_stands_left_and_colours_say_what_is_right(deer_and_otter):
    dataset, analysis = deer_and_otter
    (pair,) = Gallery(dataset, analysis).pairs([0])
    shown = pixels(pair)
    scale = gallery.PAIR_SIDE / SIZE[1]
    right_half = gallery.PAIR_SIDE + 8
    for x, y, color in ((15, 15, RIGHT), (70, 60, MISSED)):
        at = shown[round(y * scale), round(x * scale)]
        assert hue_of(at) == pytest.approx(hue_of(color), abs=0.1)
    for x, y, color in ((15, 15, RIGHT), (15, 60, WRONG)):
        at = shown[round(y * scale), right_half + round(x * scale)]
        assert hue_of(at) == pytest.approx(hue_of(color), abs=0.1)
    assert shown[round(60 * scale), right_half + round(70 * scale)].max() < 30
    assert "2 there; 1 false alarm (nothing there); 1 missed (not seen)" in pair


def test_each_mistake_is_a_crop(deer_and_otter):
    dataset, analysis = deer_and_otter
    (alarm,) = Gallery(dataset, analysis).alarms([0])
    (miss,) = Gallery(dataset, analysis).misses([0])
    assert "tiger 0.95: nothing there<br> image image 0" in alarm
    assert "otter: not seen<br>" in miss
    assert pixels(alarm).shape == (gallery.CROP_SIDE, gallery.CROP_SIDE, 3)
    for picture, color in ((alarm, WRONG), (miss, MISSED)):
        inside = pixels(picture)[110:130, 110:130].mean(axis=(0, 1))
        assert hue_of(inside) == pytest.approx(hue_of(color), abs=0.1)


def test_the_wrong_class_is_named():
    dataset = dataset_of([square(0, 5, 5)])
    analysis = analyse(dataset, [(0, found((1, 0.9, 5, 5), (0, 0.2, 60, 50)))])
    (alarm,) = Gallery(dataset, analysis).alarms([0])
    (miss,) = Gallery(dataset, analysis).misses([0])
    assert "otter 0.90: wrong class, deer" in alarm
    assert "deer: wrong class, otter 0.90" in miss


def test_best_and_worst_are_apart():
    there = [square(0, 5, 5), square(0, 50, 5)]
    images = [there, there[:1], there, [], [], there]
    rows = [(0, 0.9, 5, 5), (0, 0.9, 50, 5)]
    predictions = [(0, found(*rows)), (1, found(*rows[:1])), (2, found(rows[0], (0, 0.9, 50, 45)))]
    predictions += [(3, found(rows[0])), (5, found((0, 0.9, 8, 5)))]
    best, worst = best_and_worst(analyse(dataset_of(*images), predictions))
    assert best == [0, 1, 2, 5]  # perfect ones first, of them that with more objects
    assert worst == [3]
    rows = [(0, 0.9, 5, 5), (0, 0.9, 50, 45), (0, 0.9, 5, 45), (0, 0.9, 60, 60)]
    good = [(i, found((0, 0.9, 5, 5), (0, 0.9, 50, 5))) for i in range(12)]
    poor = [(12, found(*rows)), (14, found((0, 0.9, 50, 45)))]
    poor = analyse(dataset_of(*[there] * 13, there[:1], there[:1]), good + poor)
    assert best_and_worst(poor)[1] == [14, 13, 12]  # of two at 0, the one with two mistakes first
    many = dataset_of(*[there] * 20)
    half = [(i, found((0, 0.9, 5 + i % 4, 5))) for i in range(20)]
    best, worst = best_and_worst(analyse(many, half))
    assert len(best) == 12 and len(worst) == 8 and not set(best) & set(worst)


@pytest.mark.parametrize("window", [(0, 0, 9, 7), (2, 1, 6, 5), (5, 5, 9, 7), (0, 0, 1, 1)])
def test_a_region_is_cut_as_its_mask(window):
    region = Region((1, 2, 8, 6), np.random.default_rng(0).random((4, 7)) < 0.5)
    left, top, right, bottom = window
    part = cut(region, window)
    expected = to_mask(region, (7, 9))[top:bottom, left:right]
    assert to_mask(part, expected.shape).tolist() == expected.tolist()


def test_windows_are_square_inside_and_not_too_small():
    def box(*edges):
        return Object(np.array(edges, float), None, RIGHT, "")

    assert around([box(100, 100, 104, 104)], (300, 400)) == (78, 78, 126, 126)
    assert around([box(0, 0, 50, 20), box(10, 40, 30, 60)], (300, 400)) == (0, 0, 120, 120)
    assert around([box(360, 260, 400, 300)], (300, 400)) == (320, 220, 400, 300)
    assert around([box(0, 0, 90, 80)], SIZE) == (0, 0, 90, 80)


def test_objects_without_masks_are_boxes():
    box = Object(np.array([10, 10, 50, 50]), None, WRONG, "")
    drawn = draw(BLACK, [box], SIZE[1])
    assert drawn[30, 30].max() == 0
    assert tuple(drawn[10, 30]) == WRONG
    assert draw(BLACK, [], 45).shape == (40, 45, 3)


def test_many_objects_have_no_captions(monkeypatch):
    asked = []
    draw_instances = scenes.drawing.draw_instances
    monkeypatch.setattr(
        scenes.drawing,
        "draw_instances",
        lambda *a, **k: asked.append(k["captions"]) or draw_instances(*a, **k),
    )
    box = Object(np.array([10, 10, 50, 50]), None, WRONG, "deer")
    draw(BLACK, [box] * 12, 90)
    draw(BLACK, [box] * 13, 90)
    assert asked == [["deer"] * 12, None]
