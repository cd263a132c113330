"""The runner's side of the pipe: workers by turns, and what they measured in a file a case."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
THREADS = "2"
Run = dict[str, Any]  # one worker's answer to "run"


class Contestant(NamedTuple):
    """Who takes part."""

    name: str
    python: str  # its interpreter
    worker: str  # the module that calls `worker.serve`
    suffix: str = ""  # of the names of its cases


class WorkerError(RuntimeError):
    """A worker ended where it should have answered."""


class Worker:
    """One contestant at one case, in a process of its own.

    Args:
        contestant, case: who does what.
        inputs: the folder of the inputs.
        log: where its standard error goes.
    """

    def __init__(self, contestant: Contestant, case: str, inputs: Path, log: Path):
        self.name, self.log = contestant.name, log
        words = [contestant.worker, case + contestant.suffix, str(inputs)]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [contestant.python, "-m", *words],
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def answer(self) -> dict[str, Any]:
        """Its next line.

        Raises:
            WorkerError: it ended; names its log.
        """
        line = self.process.stdout.readline()
        if not line:
            raise WorkerError(f"ended with status {self.process.wait()}; see {self.log}")
        return json.loads(line)

    def run(self) -> Run:
        """Has it do its case once."""
        try:
            print("run", file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # `answer` says what happened
        return self.answer()

    def close(self) -> None:
        """Ends the process, whatever it is at."""
        self.process.kill()
        self.process.communicate()


def environment() -> dict[str, str]:
    """Ours, with two threads for whoever asks there, and this checkout on the path."""
    threads = {name: THREADS for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **threads, **quiet, "PYTHONPATH": str(ROOT)}


def measure(
    case: str,
    contestants: Sequence[Contestant],
    folder: Path,
    *,
    rounds: int,
    warm: int,
    tell: Callable[[str], None],
) -> None:
    """Runs a case until its file holds so many rounds; what an earlier run measured counts.

    The file is written after each round: an abort loses one round at most.

    Args:
        case: a name of `cases.CASES`.
        contestants: who takes part; those that fail or cannot do the case are left out of it.
        folder: with `inputs/`; gets `CASE.json` and `logs/`.
        rounds: in all. In each, every contestant runs once, each time another one first.
        warm: runs before that are not counted.
        tell: takes a line about what goes on.
    """
    path = folder / f"{case}.json"
    record = load(path) or {"case": case, "contestants": {}, "rounds": []}
    names = [contestant.name for contestant in contestants]
    if record["rounds"] and record["asked"] != names:
        tell(f"{case}: begins anew, for other contestants")
        record["rounds"].clear()  # a ratio is one of neighbours in time
    record |= {"asked": names, "machine": machine()}
    if len(record["rounds"]) >= rounds:
        tell(f"{case}: {rounds} rounds are there already")
        return
    with started(case, contestants, folder, record, tell) as workers:
        for number in range(warm):
            play(workers, number, record, tell)
        while workers and len(record["rounds"]) < rounds:
            runs = play(workers, len(record["rounds"]), record, tell)
            record["rounds"].append(runs)
            save(path, record)
            tell(f"{case} {len(record['rounds'])}/{rounds}: " + summary(runs))


@contextmanager
def started(case, contestants, folder: Path, record, tell) -> Iterator[list[Worker]]:
    """The workers that got ready, one after the other; what they are made of is in the record."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        workers = []
        for contestant in contestants:
            log = folder / "logs" / f"{case}_{contestant.name.replace(' ', '_')}.log"
            worker = Worker(contestant, case, folder / "inputs", log)
            stack.callback(worker.close)
            try:
                ready = worker.answer()
            except WorkerError as error:
                ready = {"ready": False, "error": str(error)}
                tell(f"{case}: {contestant.name} {error}")
            if ready["ready"] or "error" in ready:
                record["contestants"][contestant.name] = ready
            if ready["ready"]:
                workers.append(worker)
        yield workers


def play(
    workers: list[Worker], number: int, record: dict[str, Any], tell: Callable[[str], None]
) -> dict[str, Run]:
    """One run of each worker in turn, by name; who fails is noted and takes part no more."""
    runs: dict[str, Run] = {}
    for worker in rotated(workers, number):
        try:
            runs[worker.name] = worker.run()
        except WorkerError as error:
            record["contestants"][worker.name]["error"] = str(error)
            tell(f"{record['case']}: {worker.name} {error}")
            workers.remove(worker)
    return runs


def rotated(items: list[Worker], by: int) -> list[Worker]:
    """Another one first each round."""
    by %= len(items) or 1
    return items[by:] + items[:by]


def summary(runs: Mapping[str, Run]) -> str:
    """The seconds of a round."""
    return ", ".join(f"{name} {run['seconds']:.3g} s" for name, run in runs.items())


def machine() -> dict[str, str]:
    """Whose figures these are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line for line in lines if line.startswith("model name")), ":unknown")
    return {
        "processor": model.partition(":")[2].strip(),
        "cores": f"{os.cpu_count()} cores",
        "system": platform.platform(),
        "python": f"Python {platform.python_version()}",
        "date": time.strftime("%Y-%m-%d"),
    }


def load(path: Path) -> dict[str, Any]:
    """A case's record; empty where there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


def save(path: Path, record: Mapping[str, Any]) -> None:
    """A whole file at every moment."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(record, indent=1))
    unfinished.rename(path)
