"""Datasets read in another process, which has so much memory and so much time and no more."""

import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fuzzing.mutants import mutate
from tests.fuzzing.seeds import SEEDS

MEMORY = 2**30  # bytes above what the process holds when it has read a sound dataset
SECONDS = 20
COMMAND = ("-m", "tests.fuzzing.trials")
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Outcome:
    """How the reading of a mutant ended: ``"loaded"``, ``"error"`` (a clear one), or what must not
    be: an exception, ``"hang"`` or ``"crash"``; and the message or the trace."""

    kind: str
    text: str
    damage: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether that is as promised."""
        return self.kind in ("loaded", "error")


class Reader:
    """A process that reads datasets, and is replaced when it hangs or crashes."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None

    def read(self, path: Path, skip_broken: bool) -> Outcome:
        """Loads a dataset and every image and mask of it."""
        process = self._process or self._start()
        process.stdin.write(json.dumps([str(path), skip_broken]) + "\n")
        process.stdin.flush()
        answer = self._answer(SECONDS)
        if answer is None:
            crashed = _ends(process)
            self.close()
            return Outcome("crash" if crashed else "hang", f"exit code {process.returncode}")
        return Outcome(*json.loads(answer))

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> subprocess.Popen:
        command = [sys.executable, *COMMAND]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        quiet = {"stderr": subprocess.DEVNULL, "cwd": ROOT, "start_new_session": True}
        self._process = subprocess.Popen(command, **pipes, **quiet)
        if self._answer(120) != "ready\n":
            raise RuntimeError("the reading process does not start: run `-m tests.fuzzing.trials`")
        return self._process

    def _answer(self, seconds: float) -> str | None:
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline() or None if ready else None


def _ends(process: subprocess.Popen) -> bool:
    """Whether a process that gave no answer has ended by itself."""
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def reader() -> Iterator[Reader]:
    """A process to read with."""
    process = Reader()
    try:
        yield process
    finally:
        process.close()


def trials(reader: Reader, name: str, seeds: range) -> Iterator[Outcome]:
    """Reads the mutants of one format; the first outcome is that of the sound dataset."""
    with tempfile.TemporaryDirectory() as place:
        sound = Path(place) / "sound"
        opened = SEEDS[name](sound)
        yield reader.read(opened, skip_broken=False)
        for seed in seeds:
            rng = random.Random(f"{name} {seed}")
            mutant = Path(place) / "mutant"
            shutil.copytree(sound, mutant)
            damage = f"seed {seed}: {mutate(mutant, rng)}"
            moved = Path(str(opened).replace(str(sound), str(mutant), 1))
            outcome = reader.read(moved, skip_broken=rng.random() < 0.3)
            shutil.rmtree(mutant)
            yield Outcome(outcome.kind, outcome.text, damage)


def read_all(path: str, skip_broken: bool) -> tuple[str, str]:
    """What the process does with a dataset: all that a training or an evaluation asks for."""
    from kmaskrcnn.data import DataError, load

    try:
        dataset = load(path, skip_broken=skip_broken)
        str(getattr(dataset, "description", ""))
        for index in range(len(dataset)):
            sample = dataset[index]
            if sample.size is not None:  # an evaluation asks for masks, and for no photograph
                _masks(sample, sample.size)
            _masks(sample, sample.read().shape[:2])
        str(getattr(dataset, "report", ""))
    except DataError as error:
        return "error", str(error)[:500]
    except BaseException as error:
        return type(error).__name__, traceback.format_exc()[-3000:]
    return "loaded", f"{len(dataset)} images"


def _masks(sample, size: tuple[int, int]) -> None:
    """Makes every mask of a sample in an image of that size."""
    from kmaskrcnn.data.writing.samples import to_region

    for instance in sample.instances:
        to_region(instance, size, sample.name)


def main() -> None:
    """Reads what it is told to on standard input, and answers on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    with tempfile.TemporaryDirectory() as place:
        for name in ("COCO", "TFRecord", "LabelMe XML"):
            read_all(str(SEEDS[name](Path(place) / name)), True)  # libraries and threads are there
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    signal.signal(signal.SIGALRM, _too_long)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        signal.alarm(SECONDS // 2)
        answer = read_all(*json.loads(line))
        signal.alarm(0)
        print(json.dumps(answer), file=answers, flush=True)


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError(f"after {SECONDS // 2} seconds")


if __name__ == "__main__":
    main()
