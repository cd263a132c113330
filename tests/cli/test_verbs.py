"""What the verbs take, and what their help says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from kmaskrcnn import cli
from tests.terminal import examples, run

OPTIONS = {
    "train": "--val --out --images --val-images --preset --weights --epochs --batch-size "
    "--image-size --learning-rate --rois-per-image --seed --set",
    "evaluate": "--images --out --json",
    "predict": "--out --score --coco --json",
    "weights": "--download --json",
    "convert": "--preset --classes --to",
    "demo": "--out --epochs --seed",
    "build-op": "--verbose",
    "completion": "",
}
ARGUMENTS = {
    "train": ["data"],
    "evaluate": ["model", "data"],
    "predict": ["model", "inputs"],
    "weights": [],
    "convert": ["source", "out"],
    "demo": [],
    "build-op": [],
    "completion": ["shell"],
}


def test_the_verbs_take_what_they_promise():
    assert list(cli.main.commands) == list(OPTIONS)
    for verb, command in cli.main.commands.items():
        options = [p.opts[0] for p in command.params if isinstance(p, click.Option)]
        arguments = [p.name for p in command.params if isinstance(p, click.Argument)]
        assert options == OPTIONS[verb].split(), verb
        assert arguments == ARGUMENTS[verb], verb


@pytest.mark.parametrize("verb", ["", *OPTIONS])
def test_help_comes_without_tensorflow(verb):
    heavy = {"tensorflow", "keras", "numpy", "cv2", "matplotlib", "rich", "pycocotools"}
    code = (
        "import sys; from kmaskrcnn.cli import main\n"
        f"main({[verb, '--help'] if verb else ['--help']}, standalone_mode=False)\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
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
    assert examples(verb), f"{verb} --help shows no example"
    for name, *args in examples(verb):
        assert name == verb
        command = cli.main.commands[verb]
        command.make_context(verb, [arg.replace("more/*.png", "photo.jpg") for arg in args])


@pytest.mark.parametrize("module", ["kmaskrcnn", "kmaskrcnn.cli"])
def test_it_runs_as_a_module(module):
    command = [sys.executable, "-m", module, "build-op", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: python -m {module} build-op")


def test_the_verbs_are_listed_in_the_order_of_use():
    lines = run("--help").output.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == list(OPTIONS)
