"""Outlines against pixels counted and filled: holes, parts, thin ones, simplified ones."""

import tracemalloc

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from skimage.measure import grid_points_in_poly

from kmaskrcnn.ops import outlines, regions


def masks():
    rng = np.random.default_rng(0)
    for density in (0.1, 0.5, 0.8, 0.95):
        yield rng.random((9, 13)) < density
    ring = np.ones((7, 9), bool)
    ring[2:5, 2:4] = ring[3, 6] = False  # two holes
    yield ring
    nested = np.pad(ring, 2, constant_values=False)
    nested[4, 4] = True  # a part inside a hole of another
    yield np.pad(nested, 1, constant_values=True)


@pytest.mark.parametrize("number", range(6))
def test_area_of_outlines_less_holes_is_the_number_of_pixels(number):
    mask = list(masks())[number]
    parts = outlines.to_outlines(regions.tight_region(mask, (20, 30)))
    area = sum(cv2.contourArea(p.outer) - sum(map(cv2.contourArea, p.holes)) for p in parts)
    assert area == mask.sum()
    assert [cv2.contourArea(p.outer) for p in parts] == sorted(
        (cv2.contourArea(p.outer) for p in parts), reverse=True
    )


@pytest.mark.parametrize("number", range(6))
def test_cut_open_polygons_fill_the_same_pixels(number):
    mask = list(masks())[number]
    size = (mask.shape[0] + 4, mask.shape[1] + 5)
    region = regions.tight_region(np.pad(mask, ((3, 1), (2, 3))))
    filled = np.zeros(size, bool)
    for polygon in outlines.to_cut_polygons(region):
        filled |= grid_points_in_poly(size, polygon[:, ::-1] - 0.5)
    assert np.array_equal(filled, regions.to_mask(region, size))


@pytest.mark.parametrize("tolerance, most_points", [(0.5, 180), (1.0, 70)])
def test_simplified_outlines_leave_the_true_one_by_the_tolerance(tolerance, most_points):
    y, x = np.mgrid[:120, :120]
    distance = np.hypot(x - 60, y - 55)
    mask = (distance < 50) & (distance > 17)
    polygons = outlines.to_cut_polygons(regions.tight_region(mask), tolerance)
    assert len(polygons) == 1 and len(polygons[0]) < most_points
    rle = coco_mask.merge(coco_mask.frPyObjects([p.ravel() for p in polygons], 120, 120))
    back = coco_mask.decode(rle).astype(bool)
    wrong = back != mask
    away = np.minimum(abs(distance - 50), abs(distance - 17))
    assert wrong.any() and away[wrong].max() <= tolerance + 1


def test_a_line_too_thin_for_the_tolerance_keeps_its_outline():
    line = np.zeros((12, 12), bool)
    line[5, 1:10] = True
    (polygon,) = outlines.to_polygons(regions.tight_region(line), 5.0)
    assert cv2.contourArea(polygon) == 9
    assert outlines.to_polygons(regions.tight_region(line & False)) == []


def test_a_frayed_mask_is_cut_open_with_little_memory():
    mask = np.random.default_rng(0).random((120, 120)) < 0.7
    mask[10:110, 10:110] &= np.hypot(*np.mgrid[-50:50, -50:50]) > 20  # a long hole among many
    region = regions.tight_region(mask)
    tracemalloc.start()
    polygons = outlines.to_cut_polygons(region)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(map(len, polygons)) > 3_000 and peak < 8e6
