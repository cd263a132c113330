"""What a fresh process waits for until its first prediction and its first training step.

    python -m benchmarks.start --torch-python PYTHON --out FOLDER [--rounds 7]

Ours and torchvision's (where a Python that has it is given) by turns, each in a process of its own:
imported, model made and loaded with the seeded weights, the photograph of 800×1088 predicted twice;
and a training step on two of 512×512 done twice. The second time is what it costs without starting.
Prints the medians of each phase, and of ours over torchvision's. The cases
`import`, `help`, `first_prediction` and `first_training_step` of `python -m benchmarks` measure
whole processes from outside.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
CASES = {"predict": "prediction", "train_512": "training step"}
PACKAGES = {"kmaskrcnn": "kmaskrcnn.model", "torchvision": "torchvision.models.detection"}
Phases = dict[str, float]  # name → seconds


def phases(contestant: str, case: str, folder: Path) -> Phases:
    """What this process does, phase by phase.

    Args:
        contestant: of `PACKAGES`; case: of `CASES`.
        folder: of the inputs.
    """
    seconds: Phases = {}

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start

    worker = importlib.import_module(f"benchmarks.side_by_side.workers.{contestant}")
    with phase("imported"):
        worker.framework()
        importlib.import_module(PACKAGES[contestant])
    with phase("model made and loaded"):
        run = getattr(worker, f"make_{case}")(folder)
    for number in ("first", "second"):
        with phase(f"{number} {CASES[case]}"):
            run()
    return seconds


def measured(python: str, contestant: str, case: str, folder: Path) -> Phases:
    """The phases of a new process."""
    from benchmarks.side_by_side.runner import environment

    command = [python, "-m", "benchmarks.start", "--inside", contestant, case, str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def show(case: str, rounds: Sequence[dict[str, Phases]]) -> None:
    """Medians by phase and in all; the ratio is the median of the rounds' own."""
    from rich.console import Console
    from rich.table import Table

    names = list(rounds[0])
    table = Table(*[CASES[case], *(f"{name}, s" for name in names), "ratio"])
    for phase in [*rounds[0][names[0]], "until the first"]:
        both = [[_seconds(one[name], phase) for name in names] for one in rounds]
        medians = [f"{median(column):.2f}" for column in zip(*both, strict=True)]
        ratio = f"{median(one[0] / one[-1] for one in both):.2f}" if len(names) > 1 else ""
        table.add_row(phase, *medians, ratio)
    Console().print(table)


def _seconds(found: Phases, phase: str) -> float:
    if phase == "until the first":
        return sum(seconds for name, seconds in found.items() if not name.startswith("second"))
    return found[phase]


def main(words: Sequence[str]) -> None:
    if words[:1] == ["--inside"]:
        print(json.dumps(phases(words[1], words[2], Path(words[3]))))
        return
    from benchmarks.side_by_side import inputs

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", metavar="PYTHON", help="has torchvision installed")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="gets the inputs")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args(words)
    pythons = {"kmaskrcnn": sys.executable, "torchvision": asked.torch_python}
    inputs.write(asked.out / "inputs")
    for case in asked.cases:
        rounds = [
            {
                name: measured(python, name, case, asked.out / "inputs")
                for name, python in pythons.items()
                if python
            }
            for _ in range(asked.rounds)
        ]
        show(case, rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
