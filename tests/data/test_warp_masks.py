"""Objects through the matrix: boxes between pixels, masks of every kind, and nothing left."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance
from kmaskrcnn.data.geometry import crop, flip, identity, resize, warp_points
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.data.rle import encode
from kmaskrcnn.data.warp_masks import warp_instance
from tests.data.views import SIZE, VIEWS


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_polygons_are_warped_first_and_rasterised_last(view):
    polygons = [
        np.array([[5.3, 6], [30, 8.7], [22, 33]]),
        np.array([[31.0, 20], [49, 22], [40, 39]]),
    ]
    _, window, part = warp_instance(Instance(0, polygons), view, SIZE)
    expected = rasterise([warp_points(p, view.matrix) for p in polygons], view.size)
    assert window == expected[0]
    np.testing.assert_array_equal(part, expected[1])


def test_the_box_of_a_polygon_is_its_own_and_not_rounded():
    polygon = np.array([[5.3, 6.1], [30.2, 8.7], [22, 33.4]])
    box, _, _ = warp_instance(Instance(0, [polygon], box=(0, 0, 50, 40)), identity(SIZE), SIZE)
    np.testing.assert_allclose(box, [5.3, 6.1, 30.2, 33.4])


def test_the_box_of_a_cut_polygon_is_that_of_what_is_left():
    """A triangle that gets narrow to the right: cutting off its left part lowers the box, too."""
    polygon = np.array([[0.0, 0], [40, 20], [0, 40]])
    box, window, _ = warp_instance(
        Instance(0, [polygon]), crop(identity(SIZE), 20, 0, (40, 30)), SIZE
    )
    np.testing.assert_allclose(box, [0, 10, 20, 30])
    assert window == (0, 10, 19, 30)  # half of the tip is too little for a pixel


def test_arrays_and_codes_agree():
    mask = np.zeros(SIZE, bool)
    mask[5:20, 8:31] = True
    for view in VIEWS.values():
        first = warp_instance(Instance(0, mask), view, SIZE)
        second = warp_instance(Instance(0, encode(mask)), view, SIZE)
        for left, right in zip(first, second, strict=True):
            np.testing.assert_array_equal(left, right)
        np.testing.assert_allclose(first[0], first[1], atol=0.8)


def test_a_box_without_a_mask_is_warped_and_clipped():
    view = flip(resize(identity(SIZE), (80, 100)))
    box, window, part = warp_instance(Instance(0, box=(40, 10, 70, 20)), view, SIZE)
    np.testing.assert_allclose(box, [0, 20, 20, 40])
    assert window == (0, 0, 0, 0) and not part.size


NOTHING = {
    "no mask and no box": Instance(0),
    "inverted box": Instance(0, box=(9, 9, 3, 3)),
    "NaN box": Instance(0, box=(np.nan, 1, 5, 5)),
    "NaN polygon": Instance(0, [np.array([[1, 1], [np.nan, 5], [5, 1.0]])]),
    "two points": Instance(0, [np.array([[1, 1], [9, 9.0]])]),
    "no polygons": Instance(0, []),
    "outside": Instance(0, [np.array([[60.0, 1], [70, 1], [65, 9]])]),
    "empty array": Instance(0, np.zeros(SIZE, bool)),
    "empty code": Instance(0, encode(np.zeros(SIZE, bool))),
}


@pytest.mark.parametrize("instance", NOTHING.values(), ids=NOTHING.keys())
def test_nothing_left_is_an_empty_box(instance):
    box, window, part = warp_instance(instance, identity(SIZE), SIZE)
    assert not (box[2] > box[0] and box[3] > box[1])
    assert part.size == 0 and window[0] == window[2]


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(DataError, match="annotation 3: a mask of 40×51.*image of 40×50"):
        warp_instance(Instance(0, np.ones((40, 51), bool), annotation_id=3), identity(SIZE), SIZE)
