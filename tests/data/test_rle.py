"""Run-length codes as windows, against pycocotools at full size."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.rle import array_window, decode_window, encode, read_counts
from tests.data.samples import full_mask

SIZE = (23, 31)


def random_masks(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shares = rng.uniform(0, 1, count)
    return [rng.random(tuple(rng.integers(1, 40, 2))) < share for share in shares]


def test_a_code_drawn_by_hand():
    mask = np.array([[0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
    code = {"size": [3, 4], "counts": [4, 1, 1, 2, 4]}
    window, crop = decode_window(code)
    assert window == (1, 0, 3, 2)
    np.testing.assert_array_equal(crop, mask[0:2, 1:3])


@pytest.mark.parametrize("kind", ["compressed", "text", "counts"])
def test_codes_are_read_as_pycocotools_reads_them(kind):
    for mask in random_masks(60):
        code = encode(mask)
        if kind == "text":
            code["counts"] = code["counts"].decode()
        if kind == "counts":
            code["counts"] = read_counts(code).tolist()
        np.testing.assert_array_equal(full_mask(*decode_window(code), mask.shape), mask)
        window, crop = decode_window(code)
        expected_window, expected = array_window(mask)
        assert window == expected_window
        np.testing.assert_array_equal(crop, expected)


def test_full_and_empty_masks():
    window, crop = decode_window(encode(np.ones((5, 7), bool)))
    assert window == (0, 0, 7, 5) and crop.all()
    window, crop = decode_window(encode(np.zeros((5, 7), bool)))
    assert window == (0, 0, 0, 0) and crop.shape == (0, 0)


def test_windows_are_tight():
    mask = np.zeros((9, 9), bool)
    mask[3:6, 2] = mask[4, 7] = True
    assert decode_window(encode(mask))[0] == array_window(mask)[0] == (2, 3, 8, 6)


BAD_CODES = {
    "too few pixels": {"size": [3, 4], "counts": [4, 1]},
    "negative": {"size": [3, 4], "counts": [14, -2]},
    "no numbers": {"size": [3, 4], "counts": ["many"]},
    "too deep": {"size": [3, 4], "counts": [2**70]},
    "cut off": {"size": [3, 4], "counts": "\x6f"},
    "foreign characters": {"size": [3, 4], "counts": "äöü"},
    "endless run": {"size": [3, 4], "counts": "o" * 20 + "0"},
    "empty": {"size": [3, 4], "counts": ""},
    "no size": {"size": [3], "counts": [12]},
}


@pytest.mark.parametrize("code", BAD_CODES.values(), ids=BAD_CODES.keys())
def test_bad_codes_are_refused(code):
    with pytest.raises(DataError, match="run-length code"):
        decode_window(code)
