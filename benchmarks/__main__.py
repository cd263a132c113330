"""Ours, its peers and the bare arithmetic by turns: seconds, ratios, memory, and agreement.

    python -m benchmarks --torch-python PYTHON --out FOLDER [--cases predict train_512] [--rounds 7]

Each peer takes part whose Python is given (see benchmarks/README.md for how such an environment is
made). FOLDER gets `CASE.json` after each round and `table.md` after each case. What it holds
already counts: the same command goes on after an abort; `--again` begins anew.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.side_by_side import runner, table
from benchmarks.side_by_side.cases import CASES
from benchmarks.side_by_side.runner import Contestant

WORKERS = "benchmarks.side_by_side.workers."
PEERS = {  # option → contestant and worker
    "torch": "torchvision",
    "detectron2": "detectron2",
    "matterport": "matterport",
    "garden": "garden",
}


def arguments(words: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    for peer, name in PEERS.items():
        parser.add_argument(
            f"--{peer}-python", type=interpreter, metavar="PYTHON", help=f"has {name} installed"
        )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=(), metavar="CASE")
    parser.add_argument("--rounds", type=int, default=7, help="that count, of each case")
    parser.add_argument("--warm", type=int, help="runs before them (default: as the case needs)")
    parser.add_argument("--without", nargs="+", default=(), metavar="CONTESTANT")
    parser.add_argument("--again", action="store_true", help="forget what FOLDER holds")
    asked = parser.parse_args(words)
    asked.out = asked.out.absolute()  # the workers stand elsewhere
    if not asked.cases:  # without matterport nobody has its network but ours
        left_out = () if asked.matterport_python else ("_matterport",)
        asked.cases = [case for case in CASES if not case.endswith(left_out)]
    return asked


def interpreter(path: str) -> str:
    """A Python that is there."""
    found = shutil.which(path)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected the path of a Python, found none at {path!r}")
    return str(Path(found).absolute())


def contestants(asked: argparse.Namespace) -> list[Contestant]:
    """Ours and the limit in both precisions, and the peers whose Python is known."""
    both = (("", ""), (" bf16", "_bf16"))
    own = [
        Contestant(name + label, sys.executable, WORKERS + name, suffix)
        for name in ("kmaskrcnn", "limit")
        for label, suffix in both
    ]
    pythons = {name: getattr(asked, f"{peer}_python") for peer, name in PEERS.items()}
    peers = [Contestant(name, python, WORKERS + name) for name, python in pythons.items() if python]
    return [one for one in own + peers if one.name not in asked.without]


def main(words: list[str]) -> None:
    asked = arguments(words)
    # In a process of its own: it imports TensorFlow, whose memory the contestants need.
    command = [sys.executable, "-m", "benchmarks.side_by_side.inputs", asked.out / "inputs"]
    if status := subprocess.run(command, cwd=runner.ROOT, env=runner.environment()).returncode:
        sys.exit(status)
    for case in asked.cases:
        if asked.again:
            (asked.out / f"{case}.json").unlink(missing_ok=True)
        warm = CASES[case].warm if asked.warm is None else asked.warm
        runner.measure(
            case,
            contestants(asked),
            asked.out,
            rounds=asked.rounds,
            warm=warm,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
        table.write(asked.out)
    table.show(asked.out, asked.cases)


if __name__ == "__main__":
    main(sys.argv[1:])
