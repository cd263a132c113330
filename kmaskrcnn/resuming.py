"""A training that can be stopped, killed and gone on with: what `fit` keeps in its folder."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kmaskrcnn import files, provenance, runs
from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation import Policy, Transformed, as_policy
from kmaskrcnn.locks import locked

_OF_THE_MODEL = ("class_names", "config", "frozen", "dtype")


class Run(keras.callbacks.Callback):
    """One training from its first epoch, or from where it stopped, to its last.

    As a callback, the last of all, it keeps each epoch's end in the folder and ends the training
    whose AP does not rise any more.

    Args:
        folder: where to keep it; None: nowhere.
        start: the checkpoint to begin with, if any.
        epochs_done: those that the user says are done, where there is no folder.
        patience: epochs without a better AP after which to stop; None: never.
        outlook: what there is to do, for the user. verbose: 0 is silent.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        start: runs.Checkpoint | None,
        epochs_done: int,
        patience: int | None,
        outlook: str,
        verbose: str | int,
    ) -> None:
        super().__init__()
        self.folder, self.start = folder, start
        self.patience, self.outlook, self.verbose = patience, outlook, verbose
        self.record = runs.Record({}, before=epochs_done)
        self.epochs_done = start.record.epochs_done if start else epochs_done
        self.kept = self.epochs_done  # whole epochs, in the folder's checkpoint where there is one

    # ---------------------------------------------------------------- before the training

    def begin(self, model, train, validation, options: Mapping[str, Any]) -> None:
        """Gives the model the checkpoint's state, or notes that a training begins.

        Args:
            model: compiled as for a new training.
            train, validation: the datasets.
            options: of `fit`, all that decides what will be learned.

        Raises:
            ValueError: other settings than the checkpoint's, which it names; `patience` without a
                dataset to measure AP on.
        """
        settings = _settings(model, train, validation, options)
        if self.patience is not None and settings["images"]["validation"] is None:
            raise ValueError("patience counts epochs without a better AP: give validation_data.")
        model.provenance.update(provenance.versions())
        if self.start is None:
            self.record.settings = settings
            before = model.provenance.pop("trained", None)
            if before and not self.epochs_done:
                model.provenance["trained_before"] = before
        else:
            _compare(self.start, settings)
            _restore(model, self.start)
            self.record = self.start.record
            self._mend(self.start.path)
            self.record.settings = settings
            model.provenance["trained"] = _trained(self.record)
        self._say(self.outlook)

    def _say(self, sentence: str) -> None:
        if self.verbose and sentence:
            print(sentence)

    def is_over(self, epochs: int) -> bool:
        """Whether nothing is left to run."""
        done = self.epochs_done >= epochs or self.record.stopped_early(self.patience)
        return self.start is not None and bool(done)

    def _mend(self, newest: Path) -> None:
        """What a kill between two files left undone, or a bad disk."""
        last = newest.with_name(runs.LAST)
        if newest != last:  # a damaged one would be the previous one after the next epoch
            files.duplicate(newest, last)
        self._derive(last)

    def _derive(self, last: Path) -> None:
        """What follows from the newest checkpoint."""
        if self.record.best[0] == self.record.epochs_done:
            files.duplicate(last, last.with_name(runs.BEST))
        files.write_text(last.with_name(runs.HISTORY), self.record.table())

    # ---------------------------------------------------------------- while it runs

    def on_epoch_end(self, epoch, logs=None):
        numbers = {k: v for k, v in (logs or {}).items() if hasattr(v, "__float__")}
        self.record.rows.append({name: float(value) for name, value in numbers.items()})
        self.record.steps = int(self.model.optimizer.iterations)
        self.model.provenance["trained"] = _trained(self.record)
        if self.folder is not None:
            self._keep(self.folder)
        self.kept = self.record.epochs_done
        if self.record.stopped_early(self.patience):
            self.model.stop_training = True
            self._say(self.record.stopped_early(self.patience))

    def _keep(self, folder: Path) -> None:
        """In an order in which a kill anywhere leaves a whole checkpoint of the newest epoch."""
        last = folder / runs.LAST
        if last.exists():
            files.duplicate(last, folder / runs.PREVIOUS)
        with files.atomic(last) as unfinished:
            keras.saving.save_model(self.model, unfinished)
            runs.add_record(unfinished, self.record)
        self._derive(last)

    # ---------------------------------------------------------------- afterwards

    def history(self, history: keras.callbacks.History | None = None) -> keras.callbacks.History:
        """Of all epochs of the run, those before it was resumed, too."""
        if history is None or self.folder is not None:
            history = history or keras.callbacks.History()
            history.history = self.record.history()
            history.epoch = list(range(self.record.epochs_done))
        return history

    def interrupted(self, epochs: int) -> str:
        """The sentence for whoever stops the training."""
        where = f"Interrupted in epoch {self.kept + 1} of {epochs}"
        if self.folder is None:
            return f"{where}; fit(…, folder=…) would have kept each whole epoch to go on from."
        if not self.kept:
            return f"{where}: no epoch was whole, so nothing is kept in {self.folder}."
        return (
            f"{where}. {self.folder / runs.LAST} keeps all up to the end of epoch {self.kept}: "
            f"resume=True (--resume) goes on with epoch {self.kept + 1}."
        )


@contextmanager
def opened(
    folder: str | Path | None,
    resume: bool,
    epochs: int,
    *,
    epochs_done: int,
    patience: int | None,
    verbose: str | int,
) -> Iterator[Run]:
    """The run of a training, whose folder belongs to it until it ends.

    Args:
        folder, resume, epochs, patience, verbose: see `MaskRCNN.fit`.
        epochs_done: its `initial_epoch`.

    Raises:
        ValueError: a folder whose run is not to be resumed or cannot be; arguments that exclude
            each other.
        FolderInUseError: another training is in that folder.
        KeyboardInterrupt: Ctrl-C, or SIGTERM; the message says what is kept.
    """
    _check(folder, resume, epochs_done, patience)
    place = None if folder is None else Path(folder)
    with nullcontext() if place is None else locked(place), _terminable():
        start, outlook = None, ""
        if place is not None:
            files.remove_unfinished(place)
            found = runs.find(place)
            start = found.to_start_from(place, resume)
            outlook = found.outlook(place, resume, epochs, patience)
        run = Run(
            place,
            start=start,
            epochs_done=epochs_done,
            patience=patience,
            outlook=outlook,
            verbose=verbose,
        )
        try:
            yield run
        except KeyboardInterrupt:
            raise KeyboardInterrupt(run.interrupted(epochs)) from None


def _check(folder, resume: bool, epochs_done: int, patience: int | None) -> None:
    if resume and folder is None:
        raise ValueError("resume=True needs folder=, where the run to go on with is kept.")
    if folder is not None and epochs_done:
        raise ValueError(
            "initial_epoch and folder exclude each other: with resume=True the folder knows how "
            "many epochs are done."
        )
    if patience is not None and patience < 1:
        raise ValueError(f"patience counts epochs, at least 1; got {patience}.")


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, as batch systems send it, is then a Ctrl-C; where signals may be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former or signal.SIG_DFL)


def _settings(model, train, validation, options: Mapping[str, Any]) -> dict[str, Any]:
    """What decides what will be learned, as JSON gives it back."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    sets = {"train": train, "validation": validation}
    settings = {
        **{name: value for name, value in model.get_config().items() if name in _OF_THE_MODEL},
        **options,
        "augmentation": _switches(options["augmentation"]),
        "optimizer": type(optimizer).__name__,
        "images": {name: _length(dataset) for name, dataset in sets.items()},
        "data": {name: getattr(dataset, "description", None) for name, dataset in sets.items()},
    }
    return json.loads(json.dumps(settings, default=_name))


def _switches(augmentation: Policy) -> dict[str, Any] | str:
    """What it does; the name of a function."""
    policy = as_policy(augmentation)
    if isinstance(policy, Transformed):
        return {"transform": policy.name, **policy.before.changes()}
    return policy.changes() if isinstance(policy, Augmentation) else _name(policy)


def _length(dataset) -> int | None:
    """Images; None without a dataset, and for batches that somebody else made."""
    return None if dataset is None or isinstance(dataset, tf.data.Dataset) else len(dataset)


def _name(thing: Any) -> str:
    return getattr(thing, "__qualname__", type(thing).__qualname__)


def _compare(start: runs.Checkpoint, settings: Mapping[str, Any]) -> None:
    free = {"epochs": None, "data": None}  # a longer training, folders that have moved
    lines = runs.differences({**start.record.settings, **free}, {**settings, **free})
    if lines:
        raise ValueError(
            "\n".join([f"{start.path} is of another training than this one:", *lines])
            + "\nA run goes on as it began: give the former values, or another folder."
        )


def _restore(model, start: runs.Checkpoint) -> None:
    """Weights, the optimizer's state and the samplers' random state."""
    model.optimizer.build(model.trainable_variables)
    try:
        model.load_weights(start.path)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f"{start.path} does not fit this model: {error}") from error
    steps = int(model.optimizer.iterations)
    if steps != start.record.steps:
        raise ValueError(
            f"{start.path}: its optimizer has done {start.record.steps} steps, the model's has "
            f"done {steps} after loading: it is another optimizer."
        )


def _trained(record: runs.Record) -> dict[str, Any]:
    """What a model tells of its training."""
    told = {name: v for name, v in record.settings.items() if name not in _OF_THE_MODEL}
    told |= {"epochs": record.epochs_done, "epochs_planned": record.settings["epochs"]}
    epoch, value = record.best
    if record.figure:
        told["best"] = {"epoch": epoch, record.figure: value}
    return told
