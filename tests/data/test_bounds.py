"""Boxes between pixels of what is seen: drawn by hand."""

import numpy as np

from kmaskrcnn.data.bounds import bitmap_bounds, polygon_bounds
from kmaskrcnn.data.geometry import View, crop, identity, resize, rotate

SIZE = (30, 40)
TRIANGLE = np.array([[0.0, 0], [40, 20], [0, 40]])


def test_a_polygon_within_the_view():
    np.testing.assert_array_equal(
        polygon_bounds([TRIANGLE / 2 + 0.25], SIZE), [0.25, 0.25, 20.25, 20.25]
    )


def test_a_cut_triangle_is_as_high_as_what_is_left():
    np.testing.assert_allclose(polygon_bounds([TRIANGLE - [20, 0]], SIZE), [0, 10, 20, 30])


def test_a_polygon_that_covers_the_view_or_a_corner_of_it():
    whole = np.array([[-90.0, -90], [90, -90], [90, 90], [-90, 90]])
    np.testing.assert_array_equal(polygon_bounds([whole], SIZE), [0, 0, 40, 30])
    np.testing.assert_allclose(polygon_bounds([TRIANGLE + [30, -30]], SIZE), [30, 0, 40, 10])


def test_a_part_outside_does_not_count():
    boxes = [TRIANGLE / 10 + [3, 3], TRIANGLE / 10 + [100, 3], TRIANGLE / 10 - [50, 50]]
    np.testing.assert_allclose(polygon_bounds(boxes, SIZE), [3, 3, 7, 7])
    np.testing.assert_array_equal(polygon_bounds(boxes[1:], SIZE), np.zeros(4))


def test_a_hook_around_a_corner_does_not_cover_it():
    """A U, open to the upper left, whose arms leave the view at two sides."""
    hook = np.array([[-5.0, 12], [15, 12], [15, -5], [18, -5], [18, 15], [-5, 15]])
    np.testing.assert_allclose(polygon_bounds([hook], SIZE), [0, 0, 18, 15])
    lower = hook - [0, 30]
    np.testing.assert_array_equal(polygon_bounds([lower], SIZE), np.zeros(4))


def test_a_bitmap_is_made_of_squares():
    mask = np.zeros((4, 3), bool)
    mask[0, 0] = mask[1:, 2] = True  # tight in its window
    view = resize(identity(SIZE), (45, 50))
    np.testing.assert_allclose(bitmap_bounds((2, 5, 5, 9), mask, view), [2.5, 7.5, 6.25, 13.5])
    turned = rotate(identity((40, 40)), 45)
    window, disc = (20, 20, 21, 21), np.ones((1, 1), bool)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        bitmap_bounds(window, disc, turned), [20 - half, 20, 20 + half, 20 + 2 * half]
    )


def test_a_cut_bitmap_is_as_high_as_what_is_left():
    steps = np.tri(10, dtype=bool)  # a stair that rises to the left
    view = crop(identity(SIZE), 7.5, 0, SIZE)
    np.testing.assert_allclose(bitmap_bounds((0, 0, 10, 10), steps, view), [0, 7, 2.5, 10])
    inside = View(np.array([[100.0, 0, -500], [0, 100, -600]]), SIZE)
    np.testing.assert_array_equal(bitmap_bounds((0, 0, 10, 10), steps, inside), [0, 0, 40, 30])
    beside = View(np.array([[100.0, 0, -820], [0, 100, -220]]), SIZE)
    np.testing.assert_array_equal(bitmap_bounds((0, 0, 10, 10), steps, beside), np.zeros(4))
