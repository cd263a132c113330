"""The lines of a training: every figure in its place, none wider than 80 columns."""

import math

import pytest

from kmaskrcnn import training_lines as lines

LOGS = {
    "loss": 0.871,
    "val_loss": 0.902,
    "val_mask_AP": 0.28,
    "val_box_AP": 0.31,
    "val_keypoints_AP": 0.1,
    "images_per_second": 6.14,
}
NOW = lines.Now("epoch   3/120", 134, 250, LOGS, 123.4, 0.034, 1.94e9, math.nan, 80, 7390, True)


def test_an_epoch_is_a_line():
    without = {key: value for key, value in LOGS.items() if "keypoints" not in key}
    line = lines.epoch_line(lines.epoch_name(2, 12), without, True, 92)
    expected = "epoch  3/12  loss 0.871 val 0.902  AP mask 0.280 box 0.310 best  1:32  6.1 img/s"
    assert line == expected and len(line) == 80
    assert lines.epoch_line("epoch 1/1", {}, False, 3) == "epoch 1/1  0:03"


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_what_does_not_fit_is_left_out_from_the_end(width):
    line = lines.epoch_line(lines.epoch_name(2, 120), LOGS, True, 92, width)
    assert len(line) <= max(width, len("epoch   3/120  loss 0.871 val 0.902"))
    assert line.startswith("epoch   3/120  loss 0.871 val 0.902")
    assert ("points 0.100 best" in line) == (width >= 80)


def test_a_line_meanwhile():
    line = lines.plain_line(NOW)
    assert line == (
        "epoch   3/120  134/250  loss 0.871  123 img/s  3 % waiting  1.9 GB  left > 2:03:10"
    )
    unknown = NOW._replace(speed=math.nan, share=math.nan, memory=math.nan, left=math.nan)
    assert lines.plain_line(unknown) == "epoch   3/120  134/250  loss 0.871"
    assert lines.times_left(NOW) == "left > 1:20, in all > 2:03:10"
    assert lines.times_left(NOW._replace(at_least=False)) == "left 1:20, in all 2:03:10"


def test_losses_and_pace_by_their_short_names():
    losses = {"loss": 1.0, "rpn_class_loss": 0.25, "mask_loss": 0.75, "val_loss": 2.0}
    assert lines.loss_parts(losses)[:3] == ["loss 1.000", "rpn class 0.250", "mask 0.750"]
    assert lines.pace_parts(NOW) == ["123 img/s", "waiting for data 3 %", "1.9 GB"]
    assert lines.pace_parts(NOW._replace(gpu_memory=7.25e9))[2:] == ["1.9 GB", "7.2 GB GPU"]


def test_rows_break_between_parts_only():
    assert lines.fold(["aa", "bb", "", "cc"], 6) == ["aa  bb", "cc"]
    assert lines.fold(["longer than that"], 6) == ["longer than that"]
    assert lines.fold([], 6) == []


def test_the_best_epoch_is_the_first_of_equals():
    scores = lines.Scores()
    assert scores.trend() == "" and scores.best is None
    assert not scores.add(0, {"val_mask_AP": math.nan})
    added = [scores.add(epoch, {"val_mask_AP": ap}) for epoch, ap in enumerate([0.2, 0.3, 0.3], 1)]
    assert added == [True, True, False] and scores.best == (2, 0.3)
    assert scores.trend() == "mask AP 0.200 0.300 0.300, best 0.300"
    boxes = lines.Scores()
    assert boxes.add(0, {"val_box_AP": 0.1}) and boxes.kind == "box"


def test_the_last_line():
    scores = lines.Scores()
    scores.add(8, LOGS)
    assert lines.closing_line(12, 850, scores, 0.034) == (
        "12 epochs in 14:10; best mask AP 0.280 in epoch 9; 3 % waiting for data"
    )
    assert lines.closing_line(1, 3, lines.Scores(), math.nan) == "1 epoch in 0:03"
