"""The map of confusion: every name and number is on it, however many classes there are."""

import re

import numpy as np
import pytest

from kmaskrcnn.report.heatmap import heat_map, most_confused, shares_of_rows

MATRIX = np.array([[7, 2, 1], [0, 5, 0], [3, 0, 0]])


def texts(drawn):
    return re.findall(r">([^<>]+)</text>", drawn)


def test_names_and_counts_are_on_it():
    drawn = heat_map(MATRIX, ("deer", "otter"))
    assert sorted(texts(drawn)) == sorted(
        ["deer", "otter", "missed", "deer", "otter", "nothing there", "found", "true"]
        + ["7", "2", "1", "5", "3"]
    )


@pytest.mark.parametrize(("classes", "there"), [(1, 4), (80, 160), (300, 200)])
def test_any_number_of_classes(classes, there):
    names = tuple(f"class {i}" for i in range(classes))
    matrix = np.diag([*range(classes + 1, 1, -1), 0])
    drawn = heat_map(matrix, names)
    named = [text for text in texts(drawn) if text.startswith("class") or "others" in text]
    assert len(named) == min(2 * classes, there)
    assert ("201 others" in named) == (classes == 300)
    assert len(drawn) < 400_000


def test_shares_are_of_the_row():
    assert shares_of_rows(MATRIX).tolist() == [[0.7, 0.2, 0.1], [0, 1, 0], [1, 0, 0]]
    assert shares_of_rows(np.zeros((2, 2), int)).tolist() == [[0, 0], [0, 0]]


def test_the_most_confused_come_first():
    matrix = np.array([[5, 1, 4, 0], [2, 5, 0, 0], [0, 0, 5, 9], [8, 0, 0, 0]])
    told = most_confused(matrix, ("a", "b", "c"), 2)
    assert told == [("a", "c", 4, pytest.approx(0.4)), ("b", "a", 2, pytest.approx(2 / 7))]
    assert most_confused(np.array([[3, 1], [1, 0]]), ("a",)) == []
