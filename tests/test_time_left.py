"""What is left of a training, from what has passed of it."""

import math

import pytest

from kmaskrcnn.time_left import TimeLeft, clock


def test_what_lies_between_the_epochs_counts_once_it_is_known():
    left = TimeLeft()
    left.begin_epoch(0)
    assert left.of_epoch(5, 2.0) == 10 and left.of_training(5, 3, 10, 2.0) == 70
    assert not left.is_complete
    left.end_steps(20)  # validation begins
    left.end_steps(24)  # the epoch ends; says nothing new
    left.begin_epoch(30)  # 10 s of validation and files
    assert left.is_complete
    assert left.of_epoch(5, 2.0) == 20 and left.of_training(5, 3, 10, 2.0) == 20 + 3 * 30
    left.end_steps(50)
    left.begin_epoch(54)
    assert left.of_epoch(0, 2.0) == 7  # the mean of 10 and 4
    assert math.isnan(left.of_epoch(5, math.nan))


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.4, "0:00"),
        (42, "0:42"),
        (59.6, "1:00"),
        (850, "14:10"),
        (7390, "2:03:10"),
        (1e6, "277:46:40"),
    ],
)
def test_clock(seconds, text):
    assert clock(seconds) == text
    assert clock(math.nan) == "–"
