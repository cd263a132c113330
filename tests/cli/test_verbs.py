"""What the verbs take, and what their help says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from kmaskrcnn import cli

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
