"""The command line: its options, its sentences, and the way from files to pictures."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import click
import cv2
import keras
import numpy as np
import pytest
from click.testing import CliRunner

from kmaskrcnn import MaskRCNN, cli, commands, weights
from kmaskrcnn.data import ShapesDataset
from kmaskrcnn.weights.hub.published import PublishedWeights, rows
from tests.coco_folder import write_coco
from tests.weights.server import serving

OPTIONS = {
    "train": "--val --out --images --val-images --preset --weights --epochs --batch-size "
    "--image-size --learning-rate --rois-per-image --seed --set",
    "evaluate": "--images --json",
    "predict": "--out --score --json",
    "weights": "--download --json",
    "convert": "--preset --classes --to",
    "demo": "--out --epochs --seed",
    "build-op": "--verbose",
}
ARGUMENTS = {
    "train": ["data"],
    "evaluate": ["model", "data"],
    "predict": ["model", "inputs"],
    "weights": [],
    "convert": ["source", "out"],
    "demo": [],
    "build-op": [],
}


@pytest.fixture
def run():
    """Runs a command line in this process; gives exit code and output."""
    return lambda *args: CliRunner().invoke(cli.main, [str(arg) for arg in args])


def test_the_verbs_take_what_they_promise():
    assert list(cli.main.commands) == list(OPTIONS)
    for verb, command in cli.main.commands.items():
        options = [p.opts[0] for p in command.params if isinstance(p, click.Option)]
        arguments = [p.name for p in command.params if isinstance(p, click.Argument)]
        assert options == OPTIONS[verb].split(), verb
        assert arguments == ARGUMENTS[verb], verb


@pytest.mark.parametrize("verb", ["", *OPTIONS])
def test_help_comes_without_tensorflow(verb):
    code = (
        "import sys; from kmaskrcnn.cli import main\n"
        f"main({[verb, '--help'] if verb else ['--help']}, standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'cv2', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_examples_in_the_help_are_right(verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs/first").mkdir(parents=True)
    Path("photos").mkdir()
    for name in ("runs/first/best.keras", "photo.jpg"):
        Path(name).touch()
    command = cli.main.commands[verb]
    text = command.epilog.split(":", 1)[1].replace("\\\n", " ")
    examples = [line.split()[1:] for line in text.splitlines() if line.strip()]
    assert examples, f"{verb} --help shows no example"
    for name, *args in examples:
        assert name == verb
        command.make_context(verb, [arg.replace("more/*.png", "photo.jpg") for arg in args])


MISTAKES = {
    "no such verb": (["trian"], "No such command 'trian'"),
    "no such model": (["predict", "no.keras", ".", "--out", "o"], "no.keras"),
    "no such image": (["predict", __file__, "no.jpg", "--out", "o"], "no.jpg"),
    "no such data": (["train", "no.json", "--val", "no.json", "--out", "o"], "no.json"),
    "no validation": (["train", "no.json", "--out", "o"], "--val"),
    "no such preset": (["train", "a", "--val", "a", "--out", "o", "--preset", "big"], "laptop"),
    "score": (["predict", __file__, ".", "--out", "o", "--score", "7"], "0<=x<=1"),
    "no model": (["predict", __file__, __file__, "--out", "o"], "test_cli.py"),
}


@pytest.mark.parametrize("args, expected", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_sentence(args, expected, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert expected in result.output.replace("\n", "")
    assert "Traceback" not in result.output
    assert not Path("o").exists()


def test_debug_shows_where(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("train", "no.json", "--val", "no.json", "--out", "o", "--debug")
    assert not isinstance(result.exception, SystemExit)
    assert isinstance(result.exception, cli.MISTAKES)


class ResourceExhaustedError(Exception):
    """What TensorFlow's error for too little memory is called."""


@pytest.mark.parametrize(
    "error, code, expected",
    [
        (ValueError("expected a, got b"), 2, "expected a, got b"),
        (OSError("disk full"), 2, "disk full"),
        (ResourceExhaustedError("OOM when\nallocating"), 1, "--batch-size"),
        (RuntimeError("no compiler"), 1, "no compiler"),
        (KeyError("boxes"), 1, "KeyError: 'boxes' (`--debug`"),
    ],
)
def test_every_error_has_a_sentence_and_a_code(error, code, expected):
    failure = cli.failure(error)
    assert failure.exit_code == code
    assert expected in failure.message


def test_interrupting_is_no_error(run, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "build_op", interrupted)
    result = run("build-op")
    assert result.exit_code == 130
    assert "Interrupted" in result.output


def test_settings_that_are_not_given_are_the_presets():
    job = commands.Training("a", "b", Path("o"), preset="resnet50_fpn")
    assert job.changes() == {}
    changed = commands.Training(
        "a", "b", Path("o"), preset="resnet50_fpn", image_size=400, rois_per_image=64
    )
    assert changed.changes() == {"min_size": 400, "max_size": 666, "rois_per_image": 64}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A server on this machine that has the only published weights there are."""
    monkeypatch.setenv("KMASKRCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("KMASKRCNN_OFFLINE", raising=False)
    with serving(b"weights") as server:
        url = f"{server.address}/net.pth"
        row = PublishedWeights("family/net", "city", url, "BSD", "here", size=7)
        monkeypatch.setattr(sys.modules["kmaskrcnn.weights.hub.published"], "_ROWS", (row,))
        yield server


def test_weights_are_listed_in_80_columns(run, monkeypatch):
    monkeypatch.setattr(commands.console, "_width", 80)
    result = run("weights")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert all(len(line) <= 80 for line in lines[: len(rows()) + 1])
    for row, line in zip(rows(), lines[1:], strict=False):
        assert line.split()[:2] == [row.preset, row.name]
        assert all(f"{ap:.1f}" in line for ap in row.ap.values())
    assert "detectron2 CC-BY-SA-3.0" in result.output


def test_weights_as_json(run):
    found = json.loads(run("weights", "--json").stdout)
    assert len(found) == len(rows())
    assert found[0]["ap"] == {"box": 37.9, "mask": 34.6} and found[0]["sha256"] == "bf2d0c1e"
    assert found[0]["path"].endswith("weights/torchvision/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth")


def test_weights_are_downloaded(run, shop, tmp_path):
    path = tmp_path / "cache/weights/family/net.pth"
    assert run("weights").output.splitlines()[1].split()[-1] == "no"
    result = run("weights", "--download", "family/net")  # the only ones, whatever they are called
    assert result.exit_code == 0 and result.output.strip() == str(path)
    assert path.read_bytes() == b"weights"
    assert run("weights").output.splitlines()[1].split()[-1] == "yes"
    result = run("weights", "--download", "family/net:city", "--json")
    assert [row["path"] for row in json.loads(result.stdout)] == [str(path)]
    assert len(shop.requests) == 1


def test_a_download_on_a_terminal_has_a_bar(run, shop, monkeypatch):
    monkeypatch.setattr(commands.console, "_force_terminal", True)
    result = run("weights", "--download", "family/net")
    assert result.exit_code == 0, result.output
    assert "net.pth" in result.output


def test_weights_that_cannot_be_had(run, shop, monkeypatch):
    result = run("weights", "--download", "family/net:village")
    assert result.exit_code == 2 and "there are: city" in result.output
    monkeypatch.setenv("KMASKRCNN_OFFLINE", "1")
    result = run("weights", "--download", "family/net")
    assert result.exit_code == 1 and f"{shop.address}/net.pth" in result.output
    assert shop.requests == []


def test_weights_are_converted(run, tmp_path):
    model = MaskRCNN.from_preset("tiny", ["cat", "dog"])
    arrays, whole = str(tmp_path / "w.npz"), str(tmp_path / "whole.keras")
    weights.write_arrays(arrays, model.export_state("ours"))
    result = run("convert", arrays, whole, "--preset", "tiny", "--classes", "cat, dog")
    assert result.exit_code == 0, result.output
    assert "2 classes" in result.output and "arrays" in result.output
    back = str(tmp_path / "back.npz")
    assert run("convert", whole, back).exit_code == 0
    assert {k: v.tolist() for k, v in weights.read_arrays(back).items()} == {
        k: v.tolist() for k, v in weights.read_arrays(arrays).items()
    }


def test_weights_that_cannot_be_converted(run, tmp_path):
    path = str(weights.write_arrays(tmp_path / "w.npz", {"a": np.zeros(3, np.float32)}))
    result = run("convert", path, str(tmp_path / "out.keras"))
    assert result.exit_code != 0 and "--preset" in result.output
    result = run("convert", path, str(tmp_path / "out.keras"), "--preset", "matterport/mask_rcnn")
    assert result.exit_code != 0 and "matterport/mask_rcnn_resnet50" in result.output
    assert not (tmp_path / "out.keras").exists()


def test_any_field_can_be_set():
    settings = ["nms_iou=0.3", "anchor_sizes=((8,),(16,),(32,),(64,),(128,))", "norm=group"]
    job = commands.Training("a", val="b", out=Path("c"), preset="tiny", settings=settings)
    assert job.changes() == {
        "nms_iou": 0.3,
        "anchor_sizes": ((8,), (16,), (32,), (64,), (128,)),
        "norm": "group",
    }


@pytest.mark.parametrize(("text", "expected"), [("nms_iou", "NAME=VALUE"), ("nms=1", "nms_iou")])
def test_a_setting_that_is_none_is_explained(text, expected):
    with pytest.raises(ValueError, match=expected):
        commands.parse_setting(text)


def test_best_epoch_is_the_one_that_the_checkpoint_kept():
    nan = math.nan
    assert commands.best_epoch({}) == {}
    assert commands.best_epoch({"val_mask_AP": [nan, nan]}) == {}
    best = {"best/epoch": 2, "best/mask/AP": 0.5}
    assert commands.best_epoch({"val_mask_AP": [0.1, 0.5, nan, 0.5]}) == best


def test_files_to_predict(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "sub/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = commands.image_sources([tmp_path, tmp_path / "sub"])
    assert [str(f.relative_to(tmp_path)) for f in files] == ["a.jpg", "b.PNG", "sub/a.png"]
    assert list(commands.picture_names(files).values()) == ["a.jpg", "b.jpg", "a-2.jpg"]


def test_image_ids():
    paths = [Path("a/000000000139.jpg"), Path("a/deer.jpg"), Path("b/deer.jpg"), Path("x.png")]
    ids = [commands.image_id(path, paths) for path in paths]
    assert ids == [139, "a/deer.jpg", "b/deer.jpg", "x.png"]


def test_json_has_no_nan(tmp_path):
    commands.write_json(tmp_path / "new" / "m.json", {"mask/AP": math.nan, "box/AP": 0.5})
    assert json.loads((tmp_path / "new" / "m.json").read_text()) == {"mask/AP": None, "box/AP": 0.5}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with COCO files, and ``run`` as ``kmaskrcnn train`` leaves it."""
    folder = tmp_path_factory.mktemp("cli")
    train = write_coco(ShapesDataset(4, seed=1, image_size=(64, 64)), folder, "train")
    val = write_coco(ShapesDataset(3, seed=2, image_size=(64, 64)), folder, "val")
    args = f"train {train} --val {val} --out {folder / 'run'} --preset tiny --epochs 2 --seed 3"
    result = CliRunner().invoke(cli.main, args.split())
    assert result.exit_code == 0, result.output
    assert "epoch 2/2" in result.output
    return folder


@pytest.mark.slow
def test_train_writes_what_it_promises(trained):
    out = trained / "run"
    promised = cli.main.commands["train"].help
    for path in sorted(out.iterdir()):
        assert path.name in promised and path.stat().st_size > 0
    assert len(list(out.iterdir())) == 6
    with (out / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert {"loss", "val_loss", "val_mask_AP"} <= set(rows[0])
    metrics = json.loads((out / "metrics.json").read_text())
    assert {"box/AP", "mask/AP", "box/AP50", "mask/AP/circle", "best/epoch"} <= set(metrics)
    for name in ("curves.png", "validation.jpg"):
        assert cv2.imread(str(out / name)).std() > 1


@pytest.mark.slow
def test_evaluate_repeats_the_figures_of_training(trained, run):
    figures = trained / "figures.json"
    result = run("evaluate", trained / "run/model.keras", trained / "val.json", "--json", figures)
    assert result.exit_code == 0, result.output
    assert "circle" in result.output
    written = json.loads((trained / "run/metrics.json").read_text())
    again = json.loads(figures.read_text())
    assert {key for key in written if not key.startswith("best/")} == set(again)
    for key in (key for key in again if "/" in key):  # the losses are of RoIs drawn at random
        assert again[key] == pytest.approx(written[key], abs=1e-6), key


@pytest.mark.slow
def test_predict_writes_pictures_and_coco(trained, run):
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
def test_a_broken_image_does_not_stop_the_others(trained, run):
    broken = trained / "broken.png"
    broken.write_bytes(b"no image at all")
    good = trained / "val/0000.png"
    out = trained / "some"
    result = run("predict", trained / "run/model.keras", broken, good, "--out", out)
    assert result.exit_code == 2
    assert "1 of 2 images failed" in result.output and "broken.png" in result.output
    assert (out / "0000.jpg").exists() and (out / "predictions.json").exists()


@pytest.mark.slow
def test_the_demo_runs_from_end_to_end(tmp_path, monkeypatch):
    from kmaskrcnn import demo

    monkeypatch.setattr(demo, "PRESET", "tiny")
    monkeypatch.setattr(demo, "UNSEEN", 4)
    figures = demo.run(tmp_path, epochs=1, images=8)
    assert set(figures) >= {"box/AP", "mask/AP"}
    assert {p.name for p in tmp_path.iterdir()} == {"model.keras", "curves.png", "predictions.jpg"}
    keras.backend.clear_session()
