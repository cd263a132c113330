"""Curves: every kind of history is read alike, and every line of it is drawn."""

import csv
import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from kmaskrcnn import report

HISTORY = {
    "loss": [2.0, 1.5, 1.2],
    "mask_loss": [0.7, 0.5, 0.4],
    "val_loss": [2.2, 1.8, 1.7],
    "val_mask_AP": [math.nan, 0.1, 0.3],
    "val_box_AP": [0.0, 0.2, 0.35],
    "learning_rate": [0.1, 0.1, 0.01],
    "images_per_second": [math.nan, 6.0, 6.2],
    "data_wait_share": [math.nan, 0.1, 0.2],
}
FIGURES = {"mask/AP": 0.3, "mask/AP/deer": 0.4, "mask/AP/otter": 0.2, "box/AP/deer": 0.5}


def write_csv(path):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *HISTORY])
        for epoch, row in enumerate(zip(*HISTORY.values(), strict=True)):
            writer.writerow([epoch, *("NA" if math.isnan(v) else v for v in row)])
    return path


def test_dict_history_and_csv_are_read_alike(tmp_path):
    expected = report.read_history(HISTORY)
    assert expected["loss"] == [2.0, 1.5, 1.2] and math.isnan(expected["val_mask_AP"][0])
    for form in (SimpleNamespace(history=HISTORY), write_csv(tmp_path / "history.csv")):
        got = report.read_history(form)
        assert got.keys() == expected.keys()
        assert all(np.array_equal(got[k], expected[k], equal_nan=True) for k in got)


def drawn(history, tmp_path, figures=None):
    path = report.save_curves(history, tmp_path / "new" / "curves.png", figures)
    return cv2.imread(str(path)).astype(int)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return drawn(HISTORY, tmp_path_factory.mktemp("page"))


@pytest.mark.parametrize("key", HISTORY)
def test_every_column_is_drawn(tmp_path, page, key):
    after = drawn(HISTORY | {key: [v / 2 for v in HISTORY[key]]}, tmp_path)
    assert page.shape == after.shape and (page != after).any()


def test_without_validation_there_are_two_panels(tmp_path):
    losses = {"loss": [2.0], "mask_loss": [0.7]}
    with_ap = losses | {"val_mask_AP": [0.1]}
    two, three = drawn(losses, tmp_path), drawn(with_ap, tmp_path)
    assert two.shape[0] == three.shape[0] and two.shape[1] < three.shape[1]
    nothing_measured = losses | {"val_mask_AP": [math.nan]}
    assert drawn(nothing_measured, tmp_path).shape == two.shape


def test_wrong_histories_are_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("epoch,loss\n")
    (tmp_path / "words.csv").write_text("epoch,loss\n0,high\n")
    for history, message in (
        ({}, "at least one epoch"),
        ({"loss": []}, "at least one epoch"),
        (tmp_path / "empty.csv", "at least one epoch"),
        (tmp_path / "words.csv", "expected numbers, got 'high'"),
        ({"accuracy": [1.0]}, r"a column 'loss', got \['accuracy'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            report.save_curves(history, tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()


def test_the_ap_of_each_class_is_a_panel(tmp_path, page):
    after = drawn(HISTORY, tmp_path, FIGURES)
    assert page.shape == after.shape and (page != after).any()  # the sixth of two by three
    other = drawn(HISTORY, tmp_path, FIGURES | {"mask/AP/otter": 0.9})
    assert (after != other).any()


def test_the_best_epoch_is_the_first_of_the_highest_mask_ap(tmp_path):
    assert report.best_epoch(HISTORY) == 3
    assert report.best_epoch({"val_mask_AP": [0.2, 0.2, math.nan], "val_box_AP": [0, 0, 1]}) == 1
    assert report.best_epoch({"val_mask_AP": [math.nan] * 2, "val_box_AP": [0.0, 0.1]}) == 2
    assert report.best_epoch({"loss": [1.0]}) is None


def test_waiting_for_data_is_said_below(tmp_path, page):
    said = drawn(HISTORY | {"data_wait_share": [0.9] * 3}, tmp_path)
    red = [(p[-100:, :, 2] - p[-100:, :, 1] > 100).sum() for p in (said, page)]
    assert red[0] > 100 > red[1]


@pytest.mark.parametrize("epochs", [1, 300])
def test_any_number_of_epochs(tmp_path, epochs):
    history = {key: [0.5] * epochs for key in HISTORY}
    classes = {f"mask/AP/{number}": number / 80 for number in range(epochs)}
    assert drawn(history, tmp_path, classes).std() > 5
