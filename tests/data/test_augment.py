"""Policies: what each may do, how often, and that the generator alone decides."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.augment import augment, parse_policy, sample_view
from kmaskrcnn.data.geometry import (
    View,
    identity,
    resize,
    resize_matrix,
    resized,
    rotate,
    warp_points,
)
from tests.data.samples import noise_image

SIZE, MIN_SIZE, MAX_SIZE = (60, 80), 45, 70


def views(policy: str, count: int = 300):
    rng = np.random.default_rng(0)
    return [sample_view(policy, SIZE, MIN_SIZE, MAX_SIZE, rng) for _ in range(count)]


def test_none_is_the_plain_resize():
    for view in views("none", 3):
        np.testing.assert_array_equal(view.matrix, resize_matrix(SIZE, MIN_SIZE, MAX_SIZE))
        assert view.size == resized(SIZE, MIN_SIZE, MAX_SIZE)


@pytest.mark.parametrize("policy, axis", [("flip", 0), ("vertical_flip", 1)])
def test_every_second_image_is_mirrored(policy, axis):
    scales = np.array([view.matrix[axis, axis] for view in views(policy)])
    assert 0.4 < (scales < 0).mean() < 0.6
    np.testing.assert_allclose(np.abs(scales), np.abs(scales[0]))


def test_scale_jitter_covers_its_range_and_never_exceeds_the_usual_size():
    usual = resized(SIZE, MIN_SIZE, MAX_SIZE)
    drawn = views("scale_jitter")
    factors = np.array([view.matrix[0, 0] for view in drawn]) * SIZE[1] / usual[1]
    assert 0.78 < factors.min() < 0.84 and 1.2 < factors.max() < 1.28
    assert all(view.size[0] <= usual[0] and view.size[1] <= usual[1] for view in drawn)


@pytest.mark.parametrize("policy", ["crop", "scale_jitter", "crop+scale_jitter+flip+vertical_flip"])
def test_the_view_shows_the_image_and_nothing_beside_it(policy):
    """The corners of the view come from inside the image."""
    for view in views(policy):
        height, width = view.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        back = warp_points(
            corners - view.matrix[:, 2], np.c_[np.linalg.inv(view.matrix[:, :2]), [0, 0]]
        )
        assert back.min() > -1e-6
        assert (back <= np.array(SIZE[::-1]) + 1e-6).all()


def test_crops_differ_in_place_and_size():
    matrices = np.array([view.matrix for view in views("crop", 50)])
    assert matrices[:, 0, 0].std() > 0.05 and matrices[:, 0, 2].std() > 1


def test_the_generator_alone_decides():
    first = sample_view("scale_jitter+flip", SIZE, 45, 70, np.random.default_rng(3))
    second = sample_view("flip+scale_jitter", SIZE, 45, 70, np.random.default_rng(3))
    np.testing.assert_array_equal(first.matrix, second.matrix)


def test_a_single_pixel_survives_everything():
    for seed in range(20):
        view = sample_view("crop+scale_jitter+flip", (1, 1), 64, 64, np.random.default_rng(seed))
        assert min(view.size) >= 1


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="'rotate' is unknown; expected names among none, flip"):
        parse_policy("flip+rotate")


def turned(image, view, rng):
    """Darker by half, and turned by ten degrees."""
    return image // 2, rotate(view, 10)


def test_an_own_function_changes_colours_and_view():
    image = noise_image(*SIZE)
    changed, view = augment(image, turned, MIN_SIZE, MAX_SIZE, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, image // 2)
    expected = rotate(resize(identity(SIZE), resized(SIZE, MIN_SIZE, MAX_SIZE)), 10)
    np.testing.assert_array_equal(view.matrix, expected.matrix)


def test_an_own_function_cannot_spoil_the_dataset_s_own_array():
    def in_place(image, view, rng):
        image[:] = 0
        return image, view

    image = noise_image(*SIZE)
    with pytest.raises(DataError, match="augmentation in_place: ValueError: .*read-only"):
        augment(image, in_place, MIN_SIZE, MAX_SIZE, np.random.default_rng(0))
    assert image.max() > 0


@pytest.mark.parametrize(
    "result, message",
    [
        (lambda image, view: (image[::2], view), "expected an image .60, 80, 3. of uint8"),
        (lambda image, view: (image / 255, view), "of float64"),
        (lambda image, view: (None, view), "got NoneType"),
        (lambda image, view: (image, view.matrix), "expected a View"),
        (lambda image, view: (image, View(view.matrix * np.nan, view.size)), "finite matrix"),
        (lambda image, view: image, "too many values to unpack"),
    ],
)
def test_what_an_own_function_must_not_give(result, message):
    def mine(image, view, rng):
        return result(image, view)

    with pytest.raises(DataError, match=f"augmentation mine: .*{message}"):
        augment(noise_image(*SIZE), mine, MIN_SIZE, MAX_SIZE, np.random.default_rng(0))
