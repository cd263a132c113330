"""The confusion matrix as a map: right on the diagonal in blue, wrong beside it in red."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from kmaskrcnn.pages import figure, new_figure
from kmaskrcnn.report.panels import short

BLUE, RED = (0, 0.41, 0.76), (0.86, 0.21, 0.13)
DARKEST = 0.65  # opacity of a whole row in one cell: text on it stays legible on any ground
FAINTEST = 0.1  # of a single object
MOST_CLASSES = 100
NUMBERED = 25  # classes up to which each cell has its number


class Confused(NamedTuple):
    """One kind of mistake and how often it was made."""

    true: str
    found: str
    count: int
    share: float


def heat_map(matrix: np.ndarray, class_names: tuple[str, ...]) -> Markup:
    """The matrix as a figure that is legible for one class and for eighty.

    Colour is the share of the row: of a true class, or of the false alarms. Of more than a hundred
    classes those with most objects stand alone, and all others together.

    Args:
        matrix: (C + 1, C + 1) true by found classes, the background last.
        class_names: the C names.
    """
    matrix, names = _folded(matrix, [short(name) for name in class_names])
    size = len(matrix)
    side = float(np.clip(0.5 * size + 1.6, 3.4, 13))
    drawn = new_figure(side, 0.9 * side)
    axis = drawn.subplots()
    axis.imshow(_colours(matrix), interpolation="nearest")
    text = float(np.clip(620 / size, 6, 10))
    ticks = range(size)
    axis.set_xticks(ticks, [*names, "missed"], fontsize=text, rotation=90 if size > 8 else 30)
    axis.set_yticks(ticks, [*names, "nothing there"], fontsize=text)
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    axis.set(xlabel="found", ylabel="true")
    axis.tick_params(length=0)
    axis.spines[:].set_alpha(0.3)
    axis.axhline(size - 1.5, color="#808080", lw=1)
    axis.axvline(size - 1.5, color="#808080", lw=1)
    if size - 1 <= NUMBERED:
        _write_counts(axis, matrix, text)
    return Markup('<div class="map" style="max-width: {:.1f}in">{}</div>').format(
        side, figure(drawn)
    )


def _folded(matrix: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """The matrix with the rarer classes as one."""
    classes = len(names)
    if classes <= MOST_CLASSES:
        return matrix, names
    frequent = np.sort(np.argsort(-matrix[:-1].sum(axis=1), kind="stable")[: MOST_CLASSES - 1])
    place = np.full(classes + 1, MOST_CLASSES - 1)
    place[frequent], place[-1] = np.arange(len(frequent)), MOST_CLASSES
    folded = np.zeros((MOST_CLASSES + 1,) * 2, matrix.dtype)
    np.add.at(folded, (place[:, None], place[None]), matrix)
    others = f"{classes - len(frequent)} others"
    return folded, [*(names[i] for i in frequent), others]


def _colours(matrix: np.ndarray) -> np.ndarray:
    """(C + 1, C + 1, 4): transparent where nothing is."""
    shares = shares_of_rows(matrix)
    colours = np.empty((*matrix.shape, 4))
    colours[..., :3] = RED
    colours[np.diag_indices(len(matrix))] = (*BLUE, 0)
    colours[..., 3] = np.where(matrix > 0, FAINTEST + (DARKEST - FAINTEST) * shares, 0)
    return colours


def _write_counts(axis: Any, matrix: np.ndarray, size: float) -> None:
    for row, column in zip(*np.nonzero(matrix), strict=True):
        axis.text(column, row, f"{matrix[row, column]}", ha="center", va="center", fontsize=size)


def shares_of_rows(matrix: np.ndarray) -> np.ndarray:
    """Each count over its row's sum; 0 in an empty row."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def most_confused(
    matrix: np.ndarray, class_names: tuple[str, ...], limit: int = 12
) -> list[Confused]:
    """The classes most often taken for others, misses and false alarms left out."""
    inner = matrix[:-1, :-1] * (1 - np.eye(len(matrix) - 1, dtype=int))
    shares = shares_of_rows(matrix)
    order = np.argsort(-inner, axis=None, kind="stable")[:limit]
    pairs = zip(*np.unravel_index(order, inner.shape), strict=True)
    return [
        Confused(class_names[i], class_names[j], int(inner[i, j]), float(shares[i, j]))
        for i, j in pairs
        if inner[i, j]
    ]
