"""Polygons as masks: drawn by hand, and against an obvious loop over points in every pixel."""

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.polygons import rasterise
from tests.data.affine_reference import in_polygons, majority
from tests.data.samples import full_mask

SIZE = (23, 31)


def random_polygons(count: int) -> list[np.ndarray]:
    """Some inside, some hanging over the edges or lying outside of an image of ``SIZE``."""
    rng = np.random.default_rng(1)
    centres = rng.uniform(-10, 45, (count, 1, 2))
    sizes = rng.uniform(0.1, 30, (count, 1, 1))
    angles = [np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9))) for _ in range(count)]
    return [
        c + s * np.column_stack([np.cos(a), np.sin(a)])
        for c, s, a in zip(centres, sizes, angles, strict=True)
    ]


def test_a_triangle_drawn_by_hand():
    """Of the pixels on the slope those belong to it that are covered by more than half."""
    window, crop = rasterise([np.array([[1.0, 1], [5, 1], [1, 5]])], SIZE)
    assert window == (1, 1, 5, 5)
    # each pixel of the diagonal is covered by just half: it goes to the lower right
    np.testing.assert_array_equal(crop, np.tri(4, dtype=bool)[::-1])


def test_a_square_between_pixels():
    window, crop = rasterise([np.array([[2.4, 3.6], [6.6, 3.6], [6.6, 8.4], [2.4, 8.4]])], SIZE)
    assert window == (2, 4, 7, 8) and crop.all()


def test_random_polygons_cover_the_pixels_that_the_loop_says():
    num_hits = 0
    for polygon in random_polygons(100):
        expected, either = majority(in_polygons([polygon]), np.eye(3), SIZE)
        got = full_mask(*rasterise([polygon], SIZE), SIZE)
        assert ((got ^ expected) & ~either).sum() <= 1  # the loop's points are not the whole pixel
        num_hits += got.any()
    assert num_hits > 30


def test_nearly_the_mask_that_truth_is_measured_with():
    """pycocotools rounds to fifths of a pixel."""
    rng = np.random.default_rng(0)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    for _ in range(20):
        polygon = np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(20, 40) + 50
        theirs = coco_mask.decode(coco_mask.frPyObjects([polygon.reshape(-1)], 100, 100))[..., 0]
        ours = full_mask(*rasterise([polygon], (100, 100)), (100, 100))
        assert (ours & (theirs > 0)).sum() / (ours | (theirs > 0)).sum() > 0.98


def test_the_turn_of_the_corners_does_not_matter():
    for polygon in random_polygons(30):
        first, second = (rasterise([p], SIZE) for p in (polygon, polygon[::-1]))
        assert first[0] == second[0]
        np.testing.assert_array_equal(first[1], second[1])


def test_inside_is_what_an_outline_goes_around_an_odd_number_of_times():
    bow = np.array([[2.0, 2], [10, 10], [10, 2], [2, 10]])  # two triangles, one the other way
    assert rasterise([bow], SIZE)[1].sum() in range(26, 39)
    square = np.array([[2.0, 2], [8, 2], [8, 8], [2, 8]])
    assert rasterise([np.concatenate([square, square])], SIZE)[1].size == 0
    hole = np.array([[4.0, 4], [4, 6], [6, 6], [6, 4]])
    keyhole = np.concatenate([square, square[:1], hole, hole[:1]])
    assert rasterise([keyhole], SIZE)[1].sum() == 32


def test_several_polygons_are_united():
    squares = [np.array([[x, 1.0], [x + 3, 1], [x + 3, 4], [x, 4]]) for x in (2.0, 10.0)]
    window, crop = rasterise(squares, SIZE)
    assert window == (2, 1, 13, 4) and crop.sum() == 18
    seam = [np.array([[x, 1.0], [x + 3, 1], [x + 3, 4], [x, 4]]) for x in (2.5, 5.5)]
    assert rasterise(seam, SIZE)[1].sum() == 18 and rasterise(seam, SIZE)[1].all()


def test_a_polygon_a_million_pixels_away_costs_nothing():
    """It would be 5 million boundary points in pycocotools."""
    far = np.array([[2.0, 2], [1e15, 3], [1e15, 1e15]])
    window, crop = rasterise([far], SIZE)
    assert window == (3, 2, 31, 23) and crop[0].all() and not crop[-1, 0]


def test_nothing_of_it_is_in_the_image():
    for polygon in ([[40.0, 1], [50, 1], [45, 9]], [[1.0, -9], [9, -9], [5, -1]], [[3.0, 3]] * 3):
        window, crop = rasterise([np.array(polygon)], SIZE)
        assert window == (0, 0, 0, 0) and crop.size == 0
