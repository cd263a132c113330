"""A shell's completion, asked as the shell asks: by variables of the environment."""

import os
import subprocess
import sys

import pytest

from kmaskrcnn.cli.completion import INSTALL, VARIABLE
from tests.terminal import run


def asked(words: str) -> dict[str, str]:
    """The variables by which bash asks for completions of the last of the words."""
    place = str(len(words.split(" ")) - 1)
    return {VARIABLE: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": place}


def complete(words: str) -> list[str]:
    """What bash is offered."""
    return [line.partition(",")[2] for line in run(env=asked(words)).stdout.splitlines()]


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
        ("kmaskrcnn train --augment flip+sc", ["flip+scale_jitter"]),
        ("kmaskrcnn train --augment-set rot", ["rotation="]),
        ("kmaskrcnn benchmark --precision float32,b", ["float32,bfloat16"]),
        ("kmaskrcnn completion z", ["zsh"]),
    ],
)
def test_what_is_offered(words, expected):
    assert complete(words) == expected


def test_it_is_offered_to_a_shell():
    code = "from kmaskrcnn.cli import main; main(prog_name='kmaskrcnn')"
    environment = os.environ | asked("kmaskrcnn ev")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.stdout == b"plain,evaluate\n"


def test_an_unknown_shell():
    result = run("completion", "csh")
    assert result.exit_code == 2 and "fish" in result.output
