"""Numbers of bytes, and what is none."""

import pytest

from kmaskrcnn.byte_count import byte_count


@pytest.mark.parametrize(
    "text, expected",
    [("2GB", 2 * 10**9), ("500 mb", 5 * 10**8), ("1.5k", 1500), (0, 0), (7, 7), ("8B", 8)],
)
def test_numbers_of_bytes(text, expected):
    assert byte_count(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-1", "2GiB", "1e9", "GB", None])
def test_what_is_no_number_of_bytes(text):
    with pytest.raises(ValueError, match="expected a number of bytes, such as 2GB"):
        byte_count(text)
