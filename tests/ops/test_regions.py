"""Regions against pycocotools and literal cases."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from skimage.measure import grid_points_in_poly

from kmaskrcnn.ops import outlines, regions

SIZE = (23, 31)


def random_masks():
    rng = np.random.default_rng(3)
    for density in (0.02, 0.3, 0.7, 1.0):
        for _ in range(12):
            y1, x1 = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])
            y2, x2 = rng.integers(y1 + 1, SIZE[0] + 1), rng.integers(x1 + 1, SIZE[1] + 1)
            mask = np.zeros(SIZE, bool)
            mask[y1:y2, x1:x2] = rng.random((y2 - y1, x2 - x1)) < density
            yield mask, (x1, y1, x2, y2)
    columns = np.zeros(SIZE, bool)
    columns[:, 4:9] = True  # runs touch from column to column
    columns[:, -3:] = True
    for mask in (columns, ~columns, np.zeros(SIZE, bool), np.ones(SIZE, bool)):
        yield mask, (0, 0, SIZE[1], SIZE[0])


def tight(mask):
    """The region of a mask's bounding window."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return regions.make_region((0, 0, 0, 0), np.zeros((0, 0), bool))
    x1, y1, x2, y2 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return regions.make_region((x1, y1, x2, y2), mask[y1:y2, x1:x2])


def test_rle_equals_pycocotools_of_the_full_mask():
    for mask, (x1, y1, x2, y2) in random_masks():
        region = regions.make_region((x1, y1, x2, y2), mask[y1:y2, x1:x2])
        expected = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
        got = regions.to_rle(region, SIZE)
        assert got == {"size": list(SIZE), "counts": expected["counts"].decode()}


def test_rle_of_the_tight_region_and_back():
    for mask, _ in random_masks():
        region = tight(mask)
        rle = regions.to_rle(region, SIZE)
        assert np.array_equal(coco_mask.decode(rle).astype(bool), mask)
        assert np.array_equal(regions.to_mask(region, SIZE), mask)
        assert region.area == mask.sum()


def test_one_pixel_is_a_unit_square():
    region = regions.make_region((5, 7, 6, 8), np.ones((1, 1), bool))
    (polygon,) = outlines.to_polygons(region)
    assert sorted(map(tuple, polygon.tolist())) == [(5, 7), (5, 8), (6, 7), (6, 8)]


def test_outlines_hold_exactly_the_pixels_of_the_mask():
    crop = np.array([[0, 1, 1, 0, 0], [1, 1, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 1, 0, 1]], bool)
    polygons = outlines.to_polygons(regions.make_region((2, 3, 7, 7), crop))
    inside = np.zeros((10, 10), bool)
    for polygon in polygons:  # a pixel is inside when its centre is
        inside |= grid_points_in_poly((10, 10), polygon[:, ::-1] - 0.5)
    expected = np.zeros((10, 10), bool)
    expected[3:7, 2:7] = crop
    assert np.array_equal(inside, expected)


def test_disc_goes_through_coco_polygons_and_back():
    y, x = np.mgrid[:80, :90]
    disc = (x - 40) ** 2 + (y - 38) ** 2 < 30**2
    for tolerance, least_iou in ((0.0, 0.985), (0.7, 0.96)):
        polygons = outlines.to_polygons(tight(disc), tolerance)
        assert len(polygons) == 1
        rles = coco_mask.frPyObjects([p.ravel().tolist() for p in polygons], 80, 90)
        back = coco_mask.decode(coco_mask.merge(rles)).astype(bool)
        assert (back & disc).sum() / (back | disc).sum() > least_iou
    assert len(polygons[0]) < 40  # the simplified one is short


def test_largest_outline_first_and_none_for_an_empty_region():
    crop = np.zeros((6, 12), bool)
    crop[0, 0] = crop[1:6, 4:12] = True
    polygons = outlines.to_polygons(regions.make_region((0, 0, 12, 6), crop))
    assert [len(p) for p in polygons] == [4, 4]
    assert polygons[0][:, 0].min() == 4
    assert outlines.to_polygons(tight(np.zeros((4, 4), bool))) == []


def test_crop_of_another_size_than_the_window_is_refused():
    with pytest.raises(ValueError, match=r"window's size \(2, 3\).*got \(3, 2\)"):
        regions.make_region((0, 0, 3, 2), np.zeros((3, 2), bool))


def test_resize_takes_the_pixels_whose_centres_fall_in():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5] = True
    region = regions.make_region((2, 1, 5, 3), np.ones((2, 3), bool))
    double = regions.resize(region, (4, 6), (8, 12))
    assert np.array_equal(regions.to_mask(double, (8, 12)), mask.repeat(2, 0).repeat(2, 1))
    assert regions.resize(double, (8, 12), (4, 6)).window == region.window
    assert regions.resize(region, (4, 6), (1, 1)).area == 1
    pixel = regions.make_region((0, 0, 1, 1), np.ones((1, 1), bool))
    assert regions.resize(pixel, (4, 6), (1, 1)).area == 0


def test_tight_region_box_region_and_union():
    mask = np.zeros((6, 9), bool)
    mask[2:4, 3:8] = True
    region = regions.tight_region(mask, (10, 20))
    assert region.window == (13, 22, 18, 24) and region.area == 10
    assert regions.tight_region(mask & False).crop.size == 0
    # pixels whose centres are inside: 1.5 and 4.5 are, 5.5 is not
    assert regions.box_region(np.array([1.45, -3, 5.45, 1.55]), (4, 6)).window == (1, 0, 5, 2)
    assert regions.box_region(np.array([7, 1, 9, 2]), (4, 6)).area == 0
    other = regions.make_region((16, 21, 19, 23), np.ones((2, 3), bool))
    both = regions.union([region, other, regions.tight_region(mask & False)])
    expected = regions.to_mask(region, (30, 30)) | regions.to_mask(other, (30, 30))
    assert np.array_equal(regions.to_mask(both, (30, 30)), expected)
    assert regions.union([]).area == 0
