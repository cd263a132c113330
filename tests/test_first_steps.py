"""Who types only what the help says gets from annotated photographs to predictions."""

import json
import shutil

import cv2
import pytest

from kmaskrcnn import cli
from tests.shared import shared_path
from tests.terminal import examples, run

SMALL = ["--preset", "tiny", "--image-size", "64", "--epochs", "1", "--rois-per-image", "8"]


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """What the examples of the help speak of: photos.json, photos/ and photo.jpg."""
    source = shared_path("datasets/fruits_nuts")
    shutil.copy(source / "trainval.json", tmp_path / "photos.json")
    (tmp_path / "photos").symlink_to(source / "images")
    shutil.copy(source / "images" / "0.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(verb, *smaller):
    """The first example of a verb's help, run; no weights are downloaded."""
    assert verb in cli.main.commands and f"  {verb} " in run("--help").output
    line = [*examples(verb)[0], *smaller]
    if "--weights" in line:
        start = line.index("--weights")
        line = line[:start] + line[start + 2 :]
    result = run(*line)
    assert result.exit_code == 0, f"kmaskrcnn {' '.join(line)}\n{result.output}"
    return result.output


@pytest.mark.slow
def test_from_the_help_to_predictions(photographs):
    assert "18 usable of 18" in typed("inspect")
    assert "epoch 1/1" in typed("train", *SMALL)
    assert "hazelnut" in typed("evaluate")
    assert "date, fig, hazelnut" in typed("info")
    assert "objects in 1 images" in typed("predict", "--score", "0")
    results = json.loads((photographs / "found/predictions.json").read_text())
    assert {one["image_id"] for one in results} <= {"photo.jpg"}
    assert cv2.imread(str(photographs / "found/photo.jpg")).shape == (600, 800, 3)
    assert "to predict with" in typed("freeze")
