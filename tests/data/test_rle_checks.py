"""Many run-length codes at once, against pycocotools and against one at a time."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from kmaskrcnn.data import DataError
from kmaskrcnn.data.rle import read_counts
from kmaskrcnn.data.rle_checks import CHUNK, checked_areas


def drawn(seed, count):
    """Masks of random sizes: noise, blocks, nothing at all, everything."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        size = tuple(int(v) for v in rng.integers(1, 40, 2))
        share = (0, 1, 0.5, 0.03)[number % 4]
        mask = (rng.random(size) < share).repeat(1 + number % 3, axis=0)
        yield coco_mask.encode(np.asfortranarray(mask, np.uint8))


def of(codes):
    return [code["counts"] for code in codes], [tuple(code["size"]) for code in codes]


@pytest.mark.parametrize("count", [0, 1, CHUNK + 3])
def test_areas_are_those_of_pycocotools(count):
    codes = list(drawn(count, count))
    assert checked_areas(*of(codes)).tolist() == [float(coco_mask.area(c)) for c in codes]


@pytest.mark.parametrize("wrong", [b"", b"~~", b"o", b"0" * 9 + b"?", b"3", b"XXXXXXXXXXXXXXX0"])
def test_a_wrong_code_is_named(wrong):
    counts, sizes = of(list(drawn(1, 12)))
    counts[7] = wrong
    with pytest.raises(DataError, match="entry 7: a "):
        checked_areas(counts, sizes)


def test_what_one_at_a_time_refuses_is_refused():
    """Codes whose characters were changed at random."""
    rng = np.random.default_rng(5)
    codes = [code for code in drawn(2, 400) if len(code["counts"]) > 2]
    refused = 0
    for code in codes:
        text = bytearray(code["counts"])
        text[rng.integers(len(text))] = rng.integers(40, 120)
        changed = {"size": code["size"], "counts": bytes(text)}
        try:
            expected = read_counts(changed)[1::2].sum()
        except DataError:
            refused += 1
            with pytest.raises(DataError):
                checked_areas([bytes(text)], [tuple(code["size"])])
        else:
            assert checked_areas([bytes(text)], [tuple(code["size"])]) == [expected]
    assert 20 < refused < len(codes)
