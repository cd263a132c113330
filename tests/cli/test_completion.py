"""A shell's completion, asked as the shell asks: by variables of the environment."""

import subprocess
import sys

import pytest

from kmaskrcnn.cli.completion import INSTALL
from tests.terminal import run

PROGRAM = "from kmaskrcnn.cli import main; main(prog_name='kmaskrcnn')"


def complete(monkeypatch, words: str) -> list[str]:
    """What bash is offered for the last of the words."""
    monkeypatch.setenv("_KMASKRCNN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", INSTALL)
def test_the_script_is_on_standard_output_and_how_to_install_it_is_not(shell):
    result = run("completion", shell)
    assert result.exit_code == 0, result.output
    assert "_KMASKRCNN_COMPLETE" in result.stdout and f"{shell}_complete" in result.stdout
    assert INSTALL[shell] in result.stderr and INSTALL[shell] not in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kmaskrcnn ev", ["evaluate"]),
        ("kmaskrcnn train --image-", ["--image-size"]),
        ("kmaskrcnn train --preset mobilenet_0", ["mobilenet_0.75_fpn"]),
        ("kmaskrcnn train --set nms_", ["nms_iou="]),
        ("kmaskrcnn train --set mask_head=", ["mask_head=fcn", "mask_head=mlp"]),
        ("kmaskrcnn convert w.npz m.keras --preset lap", ["laptop"]),
        ("kmaskrcnn completion z", ["zsh"]),
    ],
)
def test_what_is_offered(words, expected, monkeypatch):
    assert complete(monkeypatch, words) == expected


def test_an_unknown_shell():
    result = run("completion", "csh")
    assert result.exit_code == 2 and "fish" in result.output
