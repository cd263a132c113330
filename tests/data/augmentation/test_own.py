"""Functions of the user's: what they may change, and what is said of one that fails."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.augmentation.own import look_through
from kmaskrcnn.data.geometry import View, identity, resize, rotate
from tests.data.samples import noise_image

SIZE = (60, 80)
USUAL = resize(identity(SIZE), (45, 60))


def turned(image, view, rng):
    """Darker by half, and turned by ten degrees."""
    return image // 2, rotate(view, 10)


def test_an_own_function_changes_colours_and_view():
    image = noise_image(*SIZE)
    changed, view = look_through(turned, image, USUAL, np.random.default_rng(0))
    np.testing.assert_array_equal(changed, image // 2)
    np.testing.assert_array_equal(view.matrix, rotate(USUAL, 10).matrix)


def test_an_own_function_cannot_spoil_the_dataset_s_own_array():
    def in_place(image, view, rng):
        image[:] = 0
        return image, view

    image = noise_image(*SIZE)
    with pytest.raises(DataError, match="augmentation in_place: ValueError: .*read-only"):
        look_through(in_place, image, USUAL, np.random.default_rng(0))
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
        look_through(mine, noise_image(*SIZE), USUAL, np.random.default_rng(0))
