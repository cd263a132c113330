"""Skeletons: which bones, which side, how thick; how they look is for eyes."""

import numpy as np
import pytest

from kmaskrcnn.ops import drawing, skeletons
from kmaskrcnn.ops.skeletons import LEFT, RIGHT, Skeletons, draw_skeleton

NAMES = ("nose", "left_hand", "right_hand", "left_foot")
BONES = ((0, 1), (0, 2), (1, 2), (1, 3))
POINTS = np.array([[[50, 10, 1], [80, 40, 1], [20, 40, 1], [80, 90, 1]]], np.float32)
POINTS += [0.5, 0.5, 0]  # centres of pixels
BOX = np.array([-200, -200, 300, 300], np.float32)  # wide lines
COLOR = (10, 250, 10)


def drawn(points=POINTS, names=NAMES, bones=BONES, box=BOX, size=(100, 100), **rest):
    image = np.zeros((*size, 3), np.uint8)
    draw_skeleton(image, Skeletons(points, names, bones, **rest), 0, box, COLOR)
    return image


def at(image, x, y):
    return tuple(image[y, x].tolist())


def test_bones_have_the_colour_of_their_side():
    image = drawn()
    assert at(image, 65, 25) == LEFT and at(image, 80, 65) == LEFT
    assert at(image, 35, 25) == RIGHT
    assert at(image, 50, 40) == COLOR  # across
    assert at(image, 50, 10) == COLOR and at(image, 20, 40) == RIGHT and at(image, 80, 90) == LEFT


def test_without_names_all_have_the_colour_of_the_object():
    image = drawn(names=())
    assert {at(image, 65, 25), at(image, 35, 25), at(image, 80, 90)} == {COLOR}
    assert not drawn(names=(), bones=())[25, 65].any()  # dots only


def test_what_is_not_seen_is_not_drawn():
    points = POINTS.copy()
    points[0, 1, 2] = 0.3
    image = drawn(points, least_score=0.3)
    assert at(image, 35, 25) == RIGHT and at(image, 80, 90) == LEFT
    assert not image[25, 65].any() and not image[40, 80].any() and not image[65, 80].any()
    assert not drawn(POINTS * [1, 1, 0]).any()


@pytest.mark.parametrize("side, width", [(20, 1), (200, 3), (2000, 4)])
def test_lines_follow_the_object_up_to_what_suits_the_picture(side, width):
    box = np.array([0, 0, side, side], np.float32)
    assert skeletons._line_width(box, (640, 640)) == width


def test_points_far_outside_and_empty_boxes():
    points = np.array([[[-1e9, 50, 1], [1e9, 50, 1], [50, 1e7, 1], [0, 0, 1]]])
    assert drawn(points).shape == (100, 100, 3)
    assert drawn(box=np.zeros(4)).any()


def test_they_lie_on_the_masks_of_all_objects():
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([BOX, [40, 20, 60, 60]])
    points = np.concatenate([POINTS, np.zeros_like(POINTS)])
    picture = drawing.draw_instances(
        image, boxes, colors=[COLOR, COLOR], skeletons=Skeletons(points, NAMES, BONES)
    )
    assert at(picture, 50, 40) == COLOR and at(picture, 65, 25) == LEFT and not image.any()
