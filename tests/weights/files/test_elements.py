import numpy as np
import pytest

from kmaskrcnn.weights.files.elements import (
    CODES,
    itemsize,
    native,
    stored_dtype,
    whole_numbers,
    widened,
)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("order", "<>")
def test_stored_types(code, order):
    stored = np.zeros((2, 3), stored_dtype(code, order)).T
    made = native(stored, code)
    assert stored.itemsize == itemsize(code)
    assert made.shape == (3, 2) and made.flags.c_contiguous and made.dtype.isnative
    assert made.dtype == ("f4" if code == "bf2" else code)


@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 2)])
def test_bfloat16_is_the_upper_half_of_float32(shape):
    values = np.resize(np.array([1, -2.5, np.inf, 0], np.float32), shape)
    bits = np.asarray(values.view(np.uint32) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(widened(bits), values)
    assert widened(bits).shape == shape and widened(bits).dtype == np.float32


def test_whole_numbers():
    assert whole_numbers([3, 0], "a shape") == (3, 0)
    for wrong in (3, "3", None, [1.0], [-1], ["1"], [None], range(3), [1] * 33):
        with pytest.raises(ValueError, match="a shape is"):
            whole_numbers(wrong, "a shape")
