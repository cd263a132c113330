"""`kmaskrcnn find-rate`: from a file of annotations to a rate and a picture."""

import json

import cv2
import pytest

from kmaskrcnn.data import ShapesDataset
from kmaskrcnn.memory import OutOfMemoryError
from tests.coco_folder import write_coco
from tests.terminal import run


@pytest.mark.slow
def test_a_rate_is_suggested_and_the_curve_drawn(tmp_path):
    data = write_coco(ShapesDataset(4, image_size=(32, 32)), tmp_path, "train")
    small = "--preset tiny --image-size 32 --steps 10 --seed 1 --set optimizer=adamw"
    out = tmp_path / "new" / "rates.png"
    done = run("find-rate", data, *small.split(), "--high", "0.1", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert 1e-5 <= figures["suggestion"] <= 0.1 and figures["out"] == str(out)
    assert len(figures["rates"]) == len(figures["losses"]) == len(figures["smoothed"]) <= 10
    assert cv2.imread(str(out)).std() > 1


def test_a_sentence_for_a_person(capsys):
    from kmaskrcnn.commands import find_rate

    find_rate.show({"text": "learning rate 0.003: low", "out": "rates.png", "suggestion": 0.0031})
    said = capsys.readouterr().out
    assert said.startswith("Learning rate 0.003: low. The curve is in rates.png.")
    assert "kmaskrcnn train … --learning-rate 0.0031" in said


def test_short_memory_is_told_in_its_own_options(tmp_path, monkeypatch):
    def too_much(*args, **options):
        raise OutOfMemoryError("a tensor", {"batch_size": options["batch_size"]})

    monkeypatch.setattr("kmaskrcnn.commands.find_rate.find_learning_rate", too_much)
    data = write_coco(ShapesDataset(2, image_size=(32, 32)), tmp_path, "train")
    done = run("find-rate", data, "--preset", "tiny", "--batch-size", "9")
    assert done.exit_code == 1 and "--batch-size 9" in done.output
