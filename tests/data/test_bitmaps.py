"""Bitmaps through a matrix: outlines drawn by hand, and pixels against an obvious loop."""

import numpy as np
import pytest

from kmaskrcnn.data.bitmaps import outline, warp_bitmap
from kmaskrcnn.data.geometry import crop, flip, identity, resize
from kmaskrcnn.data.rle import array_window
from tests.data.affine_reference import in_bitmap, majority
from tests.data.samples import full_mask
from tests.data.views import SIZE, VIEWS


def test_the_outline_of_a_bitmap_with_a_hole_goes_around_it_in_long_parts():
    mask = np.ones((3, 4), bool)
    mask[1, 1] = False
    starts, ends = outline(mask)
    parts = {(*map(int, a), *map(int, b)) for a, b in zip(starts, ends, strict=True)}
    around = {(0, 0, 4, 0), (4, 0, 4, 3), (4, 3, 0, 3), (0, 3, 0, 0)}
    hole = {(2, 1, 1, 1), (2, 2, 2, 1), (1, 2, 2, 2), (1, 1, 1, 2)}
    assert parts == around | hole


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_bitmaps_cover_the_pixels_that_the_loop_says(view):
    rng = np.random.default_rng(0)
    matrix = np.vstack([view.matrix, [0, 0, 1]])
    for _ in range(4):
        mask = np.zeros(SIZE, bool)
        top, left = rng.integers(0, 25, 2)
        mask[top : top + 15, left : left + 20] = rng.random((15, 20)) < 0.7
        window, part = warp_bitmap(*array_window(mask), view)
        got = full_mask(window, part, view.size)
        expected, either = majority(in_bitmap(mask), matrix, view.size)
        assert ((got ^ expected) & ~either).sum() <= 2
        assert window == array_window(got)[0]


def test_what_is_not_resized_stays_as_it_is():
    rng = np.random.default_rng(0)
    mask = rng.random(SIZE) < 0.5
    for view, expected in (
        (identity(SIZE), mask),
        (flip(identity(SIZE)), mask[:, ::-1]),
        (crop(flip(identity(SIZE), vertical=True), 3, 5, (20, 30)), mask[::-1][5:25, 3:33]),
        (resize(identity(SIZE), (80, 100)), mask.repeat(2, 0).repeat(2, 1)),
    ):
        window, part = warp_bitmap(*array_window(mask), view)
        np.testing.assert_array_equal(full_mask(window, part, view.size), expected)


def test_halves_go_to_one_side_so_that_nothing_grows():
    mask = np.zeros((8, 8), bool)
    mask[1:5, 3:7] = True
    window, part = warp_bitmap(*array_window(mask), resize(identity((8, 8)), (4, 4)))
    assert window == (2, 1, 4, 3) and part.sum() == 3  # of the last pixel a quarter


def test_outside_of_the_view():
    mask = np.ones((3, 3), bool)
    window, part = warp_bitmap((2, 2, 5, 5), mask, crop(identity(SIZE), 20, 20, (10, 10)))
    assert window == (0, 0, 0, 0) and not part.size
