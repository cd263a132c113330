"""One affine matrix: what it does to sizes, points and pixels."""

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import prepare_image
from kmaskrcnn.data.geometry import (
    View,
    compose,
    crop,
    flip,
    identity,
    invert,
    resize,
    resize_matrix,
    resized,
    rotate,
    warp_box,
    warp_image,
    warp_points,
)
from tests.data.samples import noise_image


@pytest.mark.parametrize(
    "size, min_size, max_size, expected",
    [
        ((480, 640), 800, 1333, (800, 1067)),
        ((480, 1000), 800, 1333, (640, 1333)),
        ((640, 640), 256, 256, (256, 256)),
        ((10_000, 100), 800, 1333, (1333, 13)),
        ((1, 1), 64, 64, (64, 64)),
        ((100_000, 1), 64, 64, (64, 1)),
    ],
)
def test_sizes(size, min_size, max_size, expected):
    assert resized(size, min_size, max_size) == expected


def test_resizing_keeps_the_borders_on_the_borders():
    matrix = resize_matrix((480, 641), 300, 500)
    height, width = resized((480, 641), 300, 500)
    np.testing.assert_allclose(warp_points([[0, 0], [641, 480]], matrix), [[0, 0], [width, height]])


def test_a_flip_maps_the_first_pixel_onto_the_last():
    view = flip(identity((5, 9)))
    np.testing.assert_allclose(warp_points([[0.5, 2.0]], view.matrix), [[8.5, 2.0]])
    np.testing.assert_allclose(flip(view).matrix, np.eye(2, 3))
    view = flip(identity((5, 9)), vertical=True)
    np.testing.assert_allclose(warp_points([[0.5, 0.5]], view.matrix), [[0.5, 4.5]])


def test_composition_and_inverse():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 2, 3))
    points = rng.normal(size=(7, 2))
    twice = warp_points(warp_points(points, first), second)
    np.testing.assert_allclose(warp_points(points, compose(second, first)), twice)
    np.testing.assert_allclose(warp_points(warp_points(points, first), invert(first)), points)


def test_a_warped_box_stays_upright_and_in_order():
    view = flip(resize(identity((10, 20)), (20, 40)))
    np.testing.assert_allclose(warp_box(np.array([1, 2, 5, 8]), view.matrix), [30, 4, 38, 16])


@pytest.mark.parametrize("size", [(17, 23), (80, 60)], ids=["smaller", "larger"])
def test_flipped_pixels_are_the_resized_ones_mirrored(size):
    """So that augmented pixels are those that predict sees, to the bit."""
    image = noise_image(40, 30)
    plain = resize(identity((40, 30)), size)
    expected = warp_image(image, plain)
    np.testing.assert_array_equal(warp_image(image, flip(plain)), expected[:, ::-1])
    np.testing.assert_array_equal(warp_image(image, flip(plain, vertical=True)), expected[::-1])


def test_a_cut_after_resizing_is_a_slice():
    image = noise_image(40, 30)
    view = flip(crop(resize(identity((40, 30)), (80, 60)), 7, 11, (62, 43)))
    whole = warp_image(image, resize(identity((40, 30)), (80, 60)))
    np.testing.assert_array_equal(warp_image(image, view), whole[11:73, 7:50][:, ::-1])


def test_a_small_cut_of_an_enlarged_image_is_warped_alone():
    """Nearly the same pixels: OpenCV's warp interpolates in steps of a 32nd of a pixel."""
    image = noise_image(40, 30)
    whole = resize(identity((40, 30)), (130, 110))
    view = flip(crop(whole, 17, 31, (32, 33)))
    expected = warp_image(image, whole)[31:63, 17:50][:, ::-1].astype(int)
    assert np.abs(warp_image(image, view) - expected).max() <= 4


def test_outside_of_the_image_is_what_fills():
    image = np.full((8, 8, 3), 200, np.uint8)
    for view in (crop(identity((8, 8)), -3, 2, (8, 8)), rotate(identity((8, 8)), 45)):
        seen = warp_image(image, view, (1, 2, 3))
        assert (seen[0, 0] == (1, 2, 3)).all() and (seen[4, 4] == 200).all()


def test_outside_of_the_image_is_black():
    image = np.full((8, 8, 3), 200, np.uint8)
    warped = warp_image(image, crop(identity((8, 8)), -3, 2, (8, 8)))
    assert (warped[:6, 3:] == 200).all() and warped[6:].max() == 0 and warped[:, :3].max() == 0
    assert warp_image(image, crop(identity((8, 8)), 50, 50, (4, 4))).max() == 0


def smooth_image(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    grey = 120 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)
    return np.repeat(grey[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("scale", [0.37, 0.8, 1.0, 1.6])
def test_pixels_land_where_points_land(scale):
    """A general crop and zoom against the picture's formula at the points that the matrix says."""
    size = (int(60 * scale), int(50 * scale))
    view = flip(resize(crop(identity((90, 100)), 13, 21, (60, 50)), size))
    warped = warp_image(smooth_image(90, 100), view).astype(float)[..., 0]
    rows, columns = np.mgrid[: size[0], : size[1]] + 0.5
    x, y = warp_points(np.stack([columns, rows], -1), invert(view.matrix)).transpose(2, 0, 1)
    expected = 120 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)
    assert np.abs(warped - expected)[2:-2, 2:-2].max() < 6


def test_shrinking_averages():
    """A checkerboard of single pixels becomes grey, and not black or white."""
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small, _ = prepare_image(np.repeat(board[..., None], 3, axis=2), 16, 16)
    assert abs(int(small.min()) - 127) <= 1 and abs(int(small.max()) - 128) <= 1


def test_prepare_image_gives_the_pixels_and_the_matrix():
    image = noise_image(48, 64)
    pixels, matrix = prepare_image(image, 30, 100)
    assert pixels.shape == (30, 40, 3) and pixels.dtype == np.uint8
    np.testing.assert_allclose(matrix, [[40 / 64, 0, 0], [0, 30 / 48, 0]])
    np.testing.assert_array_equal(pixels, cv2.resize(image, (40, 30), interpolation=cv2.INTER_AREA))


def test_an_image_that_fits_is_not_touched():
    image = noise_image(48, 64)
    np.testing.assert_array_equal(warp_image(image, View(np.eye(2, 3), (48, 64))), image)


def test_a_turn_goes_clockwise_about_the_middle():
    view = rotate(identity((10, 20)), 90)
    np.testing.assert_allclose(warp_points([[10, 5], [15, 5]], view.matrix), [[10, 5], [10, 10]])
    assert view.size == (10, 20)


def test_a_turn_moves_pixels_and_points_alike():
    """A white square, seen through a turned view, lies where its turned corners say."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:30, 50:60] = 255
    view = rotate(identity((60, 80)), 30)
    seen = np.argwhere(warp_image(image, view)[..., 0] > 127)[:, ::-1] + 0.5
    np.testing.assert_allclose(seen.mean(0), warp_points([[55, 25]], view.matrix)[0], atol=0.1)


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("x, y", [(0, 0), (3, 2), (-4, 5), (6, -3), (-40, 0)])
def test_mirrors_and_cuts_take_whole_pixels(upright, mirrored, x, y):
    """Every pixel of the view is looked up by its centre."""
    image = noise_image(11, 14)
    view = identity((11, 14))
    view = flip(view) if mirrored else view
    view = crop(view if upright else flip(view, vertical=True), x, y, (9, 12))
    back = invert(view.matrix)
    expected = np.full((9, 12, 3), (1, 2, 3), np.uint8)
    for row, column in np.ndindex(9, 12):
        from_x, from_y = np.floor(back @ [column + 0.5, row + 0.5, 1]).astype(int)
        if 0 <= from_y < 11 and 0 <= from_x < 14:
            expected[row, column] = image[from_y, from_x]
    image.flags.writeable = False  # as those of a cache
    np.testing.assert_array_equal(warp_image(image, view, fill=(1, 2, 3)), expected)
