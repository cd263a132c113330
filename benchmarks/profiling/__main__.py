"""Where the time goes: profiles of a prediction and of a training step, as tables and pictures.

    python -m benchmarks.profiling --out FOLDER [--cases predict predict_bf16 train_512]
        [--before FOLDER] [--drawn]

Runs each case and its bare arithmetic under TensorFlow's profiler, in processes of their own.
FOLDER gets `CASE.json`, `profile.md`, `kinds.png` and a `timeline_CASE.png`. ``--before`` takes the
JSONs of another run beside them, as of an older commit; ``--drawn`` draws again what FOLDER holds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.profiling.pictures import draw_kinds, draw_timeline
from benchmarks.profiling.table import LIMIT, TITLES, Profile, limit_of, markdown
from benchmarks.side_by_side import inputs


def record(case: str, folder: Path) -> None:
    """Profiles one case in a process of its own."""
    module = "benchmarks.profiling.record"
    out = folder / f"{case}.json"
    subprocess.run([sys.executable, "-m", module, case, folder / "inputs", out], check=True)


def read(case: str, folder: Path, before: Path | None) -> dict[str, Profile]:
    """A case's profiles by their names: before, now, the limit."""
    files = {} if before is None else {"before": before / f"{case}.json"}
    files |= {"now": folder / f"{case}.json", LIMIT: folder / f"{limit_of(case)}.json"}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def show(cases: dict[str, dict[str, Profile]], folder: Path) -> None:
    """Tables and pictures."""
    tables = [markdown(case, profiles) for case, profiles in cases.items()]
    (folder / "profile.md").write_text("\n".join(tables))
    draw_kinds(cases, folder / "kinds.png")
    for case, profiles in cases.items():
        own = {name: profile for name, profile in profiles.items() if name != LIMIT}
        draw_timeline(own, TITLES[case], folder / f"timeline_{case}.png")
    print("\n".join(tables))


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profiling", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    cases = ("predict", "predict_bf16", "train_512")
    parser.add_argument("--cases", nargs="+", choices=TITLES, default=cases, metavar="CASE")
    parser.add_argument("--before", type=Path, metavar="FOLDER")
    parser.add_argument("--drawn", action="store_true", help="profile nothing, draw again")
    asked = parser.parse_args(words)
    if not asked.drawn:
        inputs.write(asked.out / "inputs")
        for case in asked.cases:
            record(case, asked.out)
            record(limit_of(case), asked.out)
    show({case: read(case, asked.out, asked.before) for case in asked.cases}, asked.out)


if __name__ == "__main__":
    main(sys.argv[1:])
