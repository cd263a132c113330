"""A contestant that notes in the folder of the inputs who ran, and does what a test needs."""

import os
import sys
from pathlib import Path

from benchmarks.side_by_side import worker


def make_note(folder: Path) -> worker.Case:
    """Writes its number, and prints what is no answer."""

    def run() -> worker.Answer:
        print("a framework's chatter")
        os.write(1, b"and that of its C++\n")
        with (folder / "order").open("a") as file:
            file.write(sys.argv[1][-1])
        return {"found": 3}

    return run


def make_failing(folder: Path) -> worker.Case:
    """Ends at its second run."""
    runs = [lambda: {"found": 3}]

    return lambda: runs.pop()()


if __name__ == "__main__":
    worker.SHORTEST = 0.0
    makers = {"case_a": make_note, "case_b": make_note, "case_c": make_failing}
    worker.serve(makers, lambda: {"framework": "1.0"})
