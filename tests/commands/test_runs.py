"""From files to pictures: train, evaluate, predict, on one small training."""

import csv
import json
import math
import sys
from pathlib import Path

import cv2
import keras
import pytest

from kmaskrcnn import MaskRCNN, cli, load
from kmaskrcnn.commands.train import best_epoch, check_tensorboard
from kmaskrcnn.data import ShapesDataset
from tests.coco_folder import write_coco
from tests.terminal import run


def test_best_epoch_is_the_one_that_the_checkpoint_kept():
    nan = math.nan
    assert best_epoch({}) == {}
    assert best_epoch({"val_mask_AP": [nan, nan]}) == {}
    best = {"best/epoch": 2, "best/mask/AP": 0.5}
    assert best_epoch({"val_mask_AP": [0.1, 0.5, nan, 0.5]}) == best
    boxes = {"val_mask_AP": [nan, nan], "val_box_AP": [0.2, 0.1]}
    assert best_epoch(boxes) == {"best/epoch": 1, "best/box/AP": 0.2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, eager_module) -> Path:
    """A folder with COCO files, and ``run`` as ``kmaskrcnn train`` leaves it."""
    folder = tmp_path_factory.mktemp("cli")
    train = write_coco(ShapesDataset(4, seed=1, image_size=(64, 64)), folder, "train")
    val = write_coco(ShapesDataset(3, seed=2, image_size=(64, 64)), folder, "val")
    args = f"train {train} --val {val} --out {folder / 'run'} --preset tiny --epochs 2 --seed 3"
    result = run(*args.split())
    assert result.exit_code == 0, result.output
    assert "epoch 2/2" in result.output
    return folder


@pytest.mark.slow
def test_train_writes_what_it_promises(trained):
    out = trained / "run"
    promised = cli.main.commands["train"].help
    written = sorted(path for path in out.iterdir() if not path.name.startswith("."))
    for path in written:
        assert path.name in promised and path.stat().st_size > 0
    assert len(written) == 10
    pictures = sorted((out / "pictures").iterdir())
    assert [picture.name for picture in pictures] == ["epoch_001.jpg", "epoch_002.jpg"]
    with (out / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {"loss", "val_loss", "val_mask_AP"} <= set(rows[0])
    metrics = json.loads((out / "metrics.json").read_text())
    assert {"box/AP", "mask/AP", "box/AP50", "mask/AP/circle", "best/epoch"} <= set(metrics)
    for name in ("curves.png", "validation.jpg"):
        assert cv2.imread(str(out / name)).std() > 1


@pytest.mark.slow
def test_a_run_is_gone_on_with_and_never_overwritten(trained):
    out = trained / "run"
    (out / "metrics.json").unlink()  # as if it had been killed in its last evaluation
    again = ("train", "--config", out / "train.toml")
    refused = run(*again)
    assert refused.exit_code == 2 and "holds a run already" in refused.output
    assert "--resume" in refused.output and not (out / "metrics.json").exists()
    result = run(*again, "--resume")
    assert result.exit_code == 0, result.output
    assert "nothing to run: 2 epochs are done" in result.output
    assert (out / "metrics.json").exists()
    assert "resume" not in (out / "train.toml").read_text().replace("--resume", "")
    other = run(*again, "--resume", "--seed", 4)
    assert other.exit_code == 2 and "seed: 3 then, 4 now" in other.output


@pytest.mark.slow
def test_ctrl_c_leaves_the_curves_of_the_epochs_done(trained, monkeypatch):
    def fit(*_, **__):
        raise KeyboardInterrupt("Interrupted in epoch 3 of 4.")

    out = trained / "run"
    (out / "curves.png").unlink()
    monkeypatch.setattr(MaskRCNN, "fit", fit)
    result = run("train", "--config", out / "train.toml", "--resume", "--epochs", 4)
    assert result.exit_code == 130 and "Interrupted in epoch 3 of 4." in result.output
    assert "epochs 3 to 4 to run" in result.output
    assert cv2.imread(str(out / "curves.png")).std() > 1


@pytest.mark.slow
def test_a_run_is_repeated_with_other_options(trained):
    out = trained / "other"
    result = run(
        *("train", "--config", trained / "run/train.toml", "--out", out, "--epochs", 1),
        *("--val-fraction", 0.5, "--freeze", "C5", "--precision", "bfloat16"),
        *("--augment", "none", "--patience", 1, "--tensorboard", "--json"),
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads((out / "metrics.json").read_text())
    assert "stem, C2, C3, C4, C5 stay random" in result.stderr
    assert list((out / "tensorboard/train").glob("events*"))
    model = load(out / "model.keras")
    assert model.frozen == ("stem", "C2", "C3", "C4", "C5")
    assert model.dtype_policy.name == "mixed_bfloat16"
    content = (out / "train.toml").read_text()
    assert "val-fraction = 0.5" in content and "\nval = " not in content


def test_tensorboard_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        check_tensorboard(True)
    check_tensorboard(False)


@pytest.mark.slow
def test_evaluate_repeats_the_figures_of_training(trained):
    figures = trained / "figures.json"
    arguments = [trained / "run/model.keras", trained / "val.json", "--out", figures, "--json"]
    result = run("evaluate", *arguments)
    assert result.exit_code == 0, result.output
    written = json.loads((trained / "run/metrics.json").read_text())
    again = json.loads(result.stdout)
    assert again == json.loads(figures.read_text())
    assert "COCO" in result.stderr
    assert {key for key in written if not key.startswith("best/")} == set(again)
    for key in (key for key in again if "/" in key):  # the losses are of RoIs drawn at random
        assert again[key] == pytest.approx(written[key], abs=1e-6), key


@pytest.mark.slow
def test_predict_writes_pictures_and_coco(trained):
    out = trained / "found"
    result = run(
        "predict", trained / "run/model.keras", trained / "val", "--out", out, "--score", 0
    )
    assert result.exit_code == 0, result.output
    pictures = sorted(path.name for path in out.glob("*.jpg"))
    assert pictures == ["0000.jpg", "0001.jpg", "0002.jpg"]
    results = json.loads((out / "predictions.json").read_text())
    assert {r["image_id"] for r in results} <= {0, 1, 2}
    for one in results:
        assert set(one) == {"image_id", "category_id", "bbox", "score", "segmentation"}
        assert one["segmentation"]["size"] == [64, 64]


@pytest.mark.slow
def test_a_broken_image_does_not_stop_the_others(trained):
    broken = trained / "broken.png"
    broken.write_bytes(b"no image at all")
    good = trained / "val/0000.png"
    out = trained / "some"
    result = run("predict", trained / "run/model.keras", broken, good, "--out", out)
    assert result.exit_code == 2
    assert "1 of 2 images failed" in result.output and "broken.png" in result.output
    result = run("predict", trained / "run/model.keras", broken, good, "--out", out, "--json")
    assert result.exit_code == 2 and "1 of 2 images failed" in result.stderr
    summary = json.loads(result.stdout)
    assert summary["images"] == 1 and list(summary["failed"]) == [str(broken)]
    assert summary["coco"] == str(out / "predictions.json")
    assert (out / "0000.jpg").exists() and (out / "predictions.json").exists()


@pytest.mark.slow
def test_the_demo_runs_from_end_to_end(tmp_path, monkeypatch, eagerly):
    from kmaskrcnn import demo

    monkeypatch.setattr(demo, "PRESET", "tiny")
    monkeypatch.setattr(demo, "UNSEEN", 4)
    figures = demo.run(tmp_path, epochs=1, images=8)
    assert set(figures) >= {"box/AP", "mask/AP"}
    assert {p.name for p in tmp_path.iterdir()} == {"model.keras", "curves.png", "predictions.jpg"}
    keras.backend.clear_session()
