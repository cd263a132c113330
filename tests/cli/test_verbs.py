"""What the verbs take, and what their help says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from kmaskrcnn import cli
from tests.terminal import examples, run

OPTIONS = {
    "train": "--val --val-fraction --images --val-images --add --rename "
    "--repeat-factor --augment --augment-set --skip-broken --by-orientation --cache --preset "
    "--weights --image-size --freeze --precision --set --epochs --batch-size "
    "--learning-rate --rois-per-image --seed --patience --resume --out --config "
    "--tensorboard --pictures --json",
    "find-rate": "--images --augment --augment-set --skip-broken --preset --weights --image-size "
    "--freeze --precision --set --batch-size --rois-per-image --seed --low --high --steps "
    "--out --json",
    "evaluate": "--val-fraction --seed --metrics --images --add --rename --skip-broken --precision "
    "--out --json",
    "report": "--out --val-fraction --seed --images --add --rename --skip-broken --precision "
    "--limit --json",
    "predict": "--out --score --coco --labelme --precision --json",
    "inspect": "--images --val --val-images --duplicates --preset --image-size --augment "
    "--augment-set --out --limit "
    "--json",
    "data": "",
    "info": "--toml --json",
    "freeze": "--json",
    "weights": "--download --json",
    "convert": "--preset --classes --to",
    "benchmark": "--preset --image-size --set --rois-per-image --precision --batch-sizes --quick "
    "--time-limit --memory-limit --out --json",
    "doctor": "--run --json",
    "demo": "--out --epochs --seed",
    "build-op": "--verbose",
    "completion": "",
}
ARGUMENTS = {
    "train": ["data"],
    "find-rate": ["data"],
    "evaluate": ["model", "data"],
    "report": ["model", "data"],
    "predict": ["model", "inputs"],
    "inspect": ["data"],
    "data": [],
    "info": ["model"],
    "freeze": ["model", "out"],
    "weights": [],
    "convert": ["source", "out"],
    "benchmark": [],
    "doctor": [],
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


def test_help_imports_nothing_heavy():
    code = """
import sys
from kmaskrcnn.cli import main
for verb in ["", *main.commands]:
    main([verb, "--help"] if verb else ["--help"], standalone_mode=False)
heavy = "tensorflow keras numpy cv2 matplotlib rich pycocotools tomlkit".split()
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stdout.count("Usage:") == 1 + len(OPTIONS)


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_examples_in_the_help_are_right(verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs/first").mkdir(parents=True)
    Path("photos").mkdir()
    for name in ("runs/first/best.keras", "photo.jpg", "results.json"):
        Path(name).touch()
    Path("runs/first/train.toml").write_text('data = "photos.json"\nout = "runs/first"\n')
    assert examples(verb), f"{verb} --help shows no example"
    for name, *args in examples(verb):
        assert name == verb
        command = cli.main.commands[verb]
        command.make_context(verb, [arg.replace("more/*.png", "photo.jpg") for arg in args])


@pytest.mark.parametrize("verb", OPTIONS)
def test_the_help_lists_every_option(verb):
    listed = run(verb, "--help").output.split()
    assert [option for option in (*OPTIONS[verb].split(), "--help") if option not in listed] == []


@pytest.mark.parametrize("module", ["kmaskrcnn", "kmaskrcnn.cli"])
def test_it_runs_as_a_module(module):
    command = [sys.executable, "-m", module, "build-op", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: python -m {module} build-op")


def test_the_verbs_are_listed_in_the_order_of_use():
    lines = run("--help").output.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == list(OPTIONS)
