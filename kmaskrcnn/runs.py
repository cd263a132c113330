"""What a training's folder holds: checkpoints, and in each of them how far the run has come.

Everything about a run lies inside its checkpoint, one file that is written whole. So a kill at any
moment leaves one state, and nothing that contradicts it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kmaskrcnn.weights.files.archives import open_archive, read_member
from kmaskrcnn.weights.files.limits import Limits, RefusedError

LAST, PREVIOUS, BEST, HISTORY = "last.keras", "previous.keras", "best.keras", "history.csv"
STATE = "run.json"  # the member of a checkpoint's archive that Keras does not look at
FIGURES = ("val_mask_AP", "val_box_AP")  # the first that was measured says which epoch is best
_TRACES = (LAST, PREVIOUS, BEST, HISTORY, "model.keras")  # of a run, maybe an older version's
_UNREADABLE = (
    *(ValueError, KeyError, TypeError, EOFError, OSError, RefusedError, NotImplementedError),
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error),
)


@dataclass
class Record:
    """How far a run has come.

    Attributes:
        settings: what it was asked for; all of it but `epochs` stays for the whole run.
        rows: the logs of each epoch done; what is not a number was not to be measured.
        steps: of the optimizer so far.
        before: epochs of which there are no rows, as the user counts them.
    """

    settings: dict[str, Any]
    rows: list[dict[str, float]] = field(default_factory=list)
    steps: int = 0
    before: int = 0

    @property
    def epochs_done(self) -> int:
        return self.before + len(self.rows)

    @property
    def figure(self) -> str | None:
        """The name of the figure that tells good epochs from bad; None where there is none."""
        return next((name for name in FIGURES if any(map(_measured(name), self.rows))), None)

    @property
    def best(self) -> tuple[int, float]:
        """The first epoch of the highest AP, counted from 1, and that AP; 0, nan without any."""
        name = self.figure
        if name is None:
            return 0, math.nan
        measured = [i for i, row in enumerate(self.rows) if _measured(name)(row)]
        index = max(measured, key=lambda i: self.rows[i][name])
        return self.before + index + 1, self.rows[index][name]

    def history(self) -> dict[str, list[float]]:
        """Columns as of a Keras `History`, one value an epoch: nan where there is none."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: [row.get(name, math.nan) for row in self.rows] for name in names}

    def table(self) -> str:
        """The same as CSV; the epochs count from 1."""
        columns = self.history()
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["epoch", *columns])
        epochs = range(self.before + 1, self.epochs_done + 1)
        writer.writerows(zip(epochs, *columns.values(), strict=True))
        return text.getvalue()

    def stopped_early(self, patience: int | None) -> str:
        """The sentence that ends a run whose AP has not risen for so many epochs; else ''."""
        best, value = self.best
        since = self.epochs_done - best
        if patience is None or not best or since < patience:
            return ""
        return (
            f"stopped early after epoch {self.epochs_done}: {self.figure} has not risen above "
            f"{value:.3f} of epoch {best} for {since} epochs"
        )

    def outlook(self, epochs: int, patience: int | None = None) -> str:
        """What there is left to do, in words."""
        if self.epochs_done >= epochs:
            return f"nothing to run: {self.epochs_done} epochs are done"
        if self.stopped_early(patience):
            return f"nothing to run: {self.stopped_early(patience)}"
        planned = self.settings.get("epochs", epochs)
        longer = f"; planned were {planned}, the rate now follows the schedule of {epochs}"
        span = f"epochs {self.epochs_done + 1} to {epochs} to run"
        return span + (longer if planned != epochs and self.epochs_done else "")

    def to_json(self) -> str:
        return json.dumps({"settings": self.settings, "rows": self.rows, "steps": self.steps})

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        content = json.loads(text)
        rows = [{str(k): float(v) for k, v in row.items()} for row in content["rows"]]
        return cls(dict(content["settings"]), rows, int(content["steps"]))


@dataclass(frozen=True)
class Checkpoint:
    """A whole file of a run, and its record."""

    path: Path
    record: Record


@dataclass(frozen=True)
class Found:
    """What a folder holds of a run.

    Attributes:
        newest: the whole checkpoint of most epochs.
        problems: a sentence for each one that is not whole.
        traces: the names of a run's files.
    """

    newest: Checkpoint | None
    problems: Sequence[str]
    traces: Sequence[str]

    def to_start_from(self, folder: Path, resume: bool) -> Checkpoint | None:
        """The checkpoint that a training begins with; None for the beginning.

        Raises:
            ValueError: a run is there and is not to be resumed, or cannot be.
        """
        if resume and self.traces and self.newest is None:
            problems = self.problems or [f"{', '.join(self.traces)} without {LAST}"]
            raise ValueError(
                f"{folder}: a run is there, but nothing can be resumed: {'; '.join(problems)}."
                " Give another folder, or empty this one to start from the beginning."
            )
        if self.traces and not resume:
            raise ValueError(
                f"{folder} holds a run already ({', '.join(self.traces)}): go on with it by "
                "resume=True (--resume), or give another folder."
            )
        return self.newest

    def outlook(self, folder: Path, resume: bool, epochs: int, patience: int | None = None) -> str:
        """What a training of that folder will do, in words; raises as `to_start_from`."""
        start = self.to_start_from(folder, resume)
        if start is None:
            return f"nothing to resume in {folder}: from the beginning" if resume else ""
        told = [*self.problems, f"{start.path}: {start.record.outlook(epochs, patience)}"]
        return "\n".join(told)


def find(folder: str | Path) -> Found:
    """Looks through a run's folder.

    Each checkpoint is read to its end and compared with its checksums, as disks do go bad.
    """
    folder = Path(folder)
    whole, problems = [], []
    for path in (folder / name for name in (LAST, PREVIOUS, BEST)):
        try:
            if path.exists():
                whole.append(read(path))
        except ValueError as error:
            problems.append(str(error))
    newest = max(whole, key=lambda checkpoint: checkpoint.record.epochs_done, default=None)
    return Found(newest, problems, [name for name in _TRACES if (folder / name).exists()])


def read(path: Path) -> Checkpoint:
    """A checkpoint that is whole to its last byte.

    Raises:
        ValueError: it is not, or it holds no state of a run; names the file.
    """
    try:
        with path.open("rb") as file, open_archive(file, limits := Limits(path)) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"its member {damaged!r} is damaged")
            if STATE not in archive.namelist():
                raise ValueError("a model, but no checkpoint of a run")
            return Checkpoint(path, Record.from_json(bytes(read_member(archive, STATE, limits))))
    except _UNREADABLE as error:
        raise ValueError(f"{path} cannot be resumed: {error}") from error


def add_record(path: Path, record: Record) -> None:
    """Makes a checkpoint out of a model's file."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(STATE, record.to_json())


def differences(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """A line for each setting that is not as it was, those inside a mapping by their path."""
    lines = []
    for name in dict.fromkeys([*then, *now]):
        old, new = then.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += differences(old, new, f"{prefix}{name}.")
        elif old != new:
            lines.append(f"  {prefix}{name}: {_short(old)} then, {_short(new)} now")
    return lines


def _measured(name: str):
    return lambda row: not math.isnan(row.get(name, math.nan))


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
