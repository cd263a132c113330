"""Damaged datasets of every format: is each a clear error, or loaded, within memory and time?

    python -m benchmarks.fuzz_readers --mutants 2000

Each mutant is a sound little dataset with one to three files damaged (see `tests/fuzzing`). It is
loaded, and every image and mask of it read, by a process that may take 1 GB beyond what it needs
anyway, and ten seconds. The table is in docs/data.md; the exit code is 1 if anything is not sound.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.fuzzing.seeds import SEEDS
from tests.fuzzing.trials import Outcome, reader, trials


def main() -> None:
    """Reads mutants of each format and prints a line of counts, and what must not be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    parser.add_argument("--only", nargs="*", choices=list(SEEDS), default=list(SEEDS))
    options = parser.parse_args()
    failures = 0
    print(f"{'format':22} {'clear error':>11} {'loaded':>7} {'other':>6} {'seconds':>8}")
    with reader() as process:
        for name in options.only:
            start = time.monotonic()
            seeds = range(options.first, options.first + options.mutants)
            sound, *outcomes = trials(process, name, seeds)
            kinds = Counter(o.kind if o.is_sound else "other" for o in outcomes)
            line = f"{name:22} {kinds['error']:11} {kinds['loaded']:7} {kinds['other']:6}"
            print(f"{line} {time.monotonic() - start:8.0f}", flush=True)
            if sound.kind != "loaded":
                print(f"    not even the sound one is loaded: {sound.text}")
            failures += kinds["other"] + (sound.kind != "loaded")
            show([outcome for outcome in outcomes if not outcome.is_sound])
    sys.exit(1 if failures else 0)


def show(outcomes: list[Outcome]) -> None:
    """Three of each kind, with the place in the code."""
    places = Counter()
    for outcome in outcomes:
        key = (outcome.kind, outcome.text.strip().splitlines()[-3:][0])
        places[key] += 1
        if places[key] <= 3:
            print(f"  {outcome.kind}, {outcome.damage}\n{outcome.text}", flush=True)


if __name__ == "__main__":
    main()
