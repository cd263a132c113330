"""What the README says is true: its Python and its commands run, its links and targets exist."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from kmaskrcnn import MaskRCNN, cli
from kmaskrcnn.presets import preset_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
# The README's network, made small enough for a test and in no need of a download.
SMALLER = {
    '"mobilenet_1.0_fpn"': '"tiny"',
    'weights="imagenet"': "weights=None",
    "min_size=256, max_size=426": "min_size=64, max_size=64",
    "epochs=9": "epochs=1",
    " --weights imagenet": " --preset tiny --epochs 1",
}


def blocks(language: str) -> list[str]:
    """The code blocks in one language, made small."""
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    for long, short in SMALLER.items():
        found = [text.replace(long, short) for text in found]
    return found


def commands(program: str) -> list[list[str]]:
    """The command lines of ``program`` in the shell blocks, without comments."""
    lines = [
        shlex.split(line, comments=True) for text in blocks("sh") for line in text.splitlines()
    ]
    return [line[1:] for line in lines if line and line[0] == program]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What the README supposes: train.json, val.json, photo.jpg."""
    import cv2

    from kmaskrcnn.data import ShapesDataset
    from tests.coco_folder import write_coco

    folder = tmp_path_factory.mktemp("readme")
    write_coco(ShapesDataset(4, seed=1, image_size=(64, 64)), folder, "train")
    write_coco(ShapesDataset(3, seed=2, image_size=(64, 64)), folder, "val")
    cv2.imwrite(str(folder / "photo.jpg"), ShapesDataset(1, image_size=(90, 120))[0].image)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_the_python_runs(number, folder, monkeypatch):
    monkeypatch.chdir(folder)
    exec(compile(blocks("python")[number], f"README.md, block {number}", "exec"), {})
    assert Path("found.jpg" if number == 0 else "found.json").exists()


@pytest.mark.slow
def test_the_commands_run(folder, monkeypatch, eagerly):
    monkeypatch.chdir(folder)
    lines = [line for line in commands("kmaskrcnn") if line[0] in ("train", "evaluate", "predict")]
    assert [line[0] for line in lines] == ["train", "predict", "train"]
    for line in lines:
        result = CliRunner().invoke(cli.main, line)
        assert result.exit_code == 0, result.output
    assert Path("found/photo.jpg").exists()


def test_there_is_something_to_test():
    assert len(blocks("python")) == 3 and commands("kmaskrcnn") and commands("make")
    assert len(blocks("python")[0].splitlines()) == 5


def test_the_block_of_other_projects_weights_names_what_there_is():
    """It would download: what it calls is tested in test_conversion.py."""
    block = blocks("python")[2]
    compile(block, "README.md", "exec")
    assert set(re.findall(r'from_preset\("([^"]+)"', block)) <= set(preset_names())
    assert hasattr(MaskRCNN, "export_state") and ".load_report" in block


def test_every_make_target_exists():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = {line[0] for line in commands("make")} | set(re.findall(r"`make ([\w-]+)`", README))
    assert named and named <= set(targets)


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_preset_and_verb_is_named():
    section = README.split("## Presets")[1].split("##")[0]
    presets = re.findall(r"^\| `([\w.]+)` \|", section, flags=re.MULTILINE)
    assert sorted(presets) == sorted(name for name in preset_names() if "/" not in name)
    references = set(re.findall(r"`((?:torchvision|detectron2|matterport)/\w+)`", section))
    assert references and references <= set(preset_names())
    verbs = re.findall(r"^\| `kmaskrcnn ([\w-]+)", README, flags=re.MULTILINE)
    assert verbs == list(cli.main.commands)
