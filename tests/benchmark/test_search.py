"""The next batch to try."""

import math

import pytest

from kmaskrcnn.benchmark.search import EXACT, MOST, estimate, next_size


def found_after(memory, limit: float, known: bool) -> tuple[int, int]:
    """The largest batch that a search finds, and the images that all its tries took together."""
    peaks: dict[int, float] = {}
    failed, images = None, 0
    while (size := next_size(peaks, failed, limit if known else math.nan)) is not None:
        images += size
        assert size not in peaks and size != failed
        if memory(size) <= limit:
            peaks[size] = memory(size)
        else:
            failed = size
    return max(peaks, default=0), images


@pytest.mark.parametrize("known", [True, False], ids=["limit known", "by trying"])
@pytest.mark.parametrize(
    "memory",
    [lambda n: 5.0 + 3 * n, lambda n: 5.0 + 3 * n**1.2, lambda n: 40.0 + 8 * n**0.7],
    ids=["straight", "steeper", "flatter"],
)
@pytest.mark.parametrize("limit", [1, 8, 11, 50, 90, 400])
def test_it_is_found(memory, limit, known):
    fits, _ = found_after(memory, limit, known)
    truth = max((n for n in range(1, MOST) if memory(n) <= limit), default=0)
    assert truth - max(0, truth // EXACT) <= fits <= truth


def test_known_growth_spares_tries():
    straight = lambda n: 5.0 + 3 * n  # noqa: E731
    assert found_after(straight, 41, True) == (12, 1 + 2 + 4 + 8 + 12 + 13)
    assert found_after(straight, 41, False)[1] > 40


def test_it_ends_at_the_top():
    assert next_size({MOST: 1.0}, None, math.nan) is None
    assert next_size({MOST - 1: 1.0}, None, math.nan) == MOST


def test_an_estimate_needs_two_batches_and_growth():
    assert math.isnan(estimate({}, 9.0)) and math.isnan(estimate({1: 2.0}, 9.0))
    assert math.isnan(estimate({1: 2.0, 2: 2.0}, 9.0)) and math.isnan(
        estimate({1: 1, 2: 2}, math.nan)
    )
    assert estimate({1: 1.0, 2: 2.0, 4: 6.0}, 9.0) == pytest.approx(5.5)
