"""Kills a short training at random moments and resumes it: does it end where an unbroken one ends?

    python -m benchmarks.kills --kills 20

Each process is killed by SIGKILL at a moment drawn evenly from the whole life of an unbroken one,
its start included. Moments are counted in processor time (so Linux only): a busy machine stretches
nothing. A training that reaches its end is compared with the unbroken one, losses and
every array of its checkpoint, and the next begins. Some minutes; the table is in docs/results.md.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np

from kmaskrcnn import files, runs

EPOCHS = 5
NAME = "benchmarks.kills"


def train(folder: Path) -> None:
    """The training: 6 images, batches of 2, an evaluation after each epoch.

    Untraced, as building the graph would take most of its life and be what is killed mostly.
    """
    import keras
    import tensorflow as tf

    import kmaskrcnn
    from kmaskrcnn.data import ShapesDataset

    tf.config.run_functions_eagerly(True)
    keras.utils.set_random_seed(0)
    shapes = ShapesDataset(6, seed=0, image_size=(32, 32))
    unseen = ShapesDataset(1, seed=1, image_size=(32, 32))
    model = kmaskrcnn.MaskRCNN.from_preset("tiny", shapes.class_names, min_size=32, max_size=64)
    options = {"epochs": EPOCHS, "learning_rate": 0.01, "verbose": 0}
    model.fit(shapes, unseen, folder=folder, resume=True, **options)


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", NAME, "--train", str(folder)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def processor_seconds(number: int) -> float:
    """What a process has used so far, from /proc."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lived(folder: Path, kill_after: float = math.inf) -> tuple[float, bool]:
    """Trains until the end or the kill.

    Returns:
        Seconds of processor time, and whether it came to its end.
    """
    process, seconds = start(folder), 0.0
    while process.poll() is None:
        seconds = processor_seconds(process.pid)
        if seconds >= kill_after:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return seconds, False
        time.sleep(0.005)
    if process.returncode:
        raise RuntimeError(f"a training failed with {process.returncode}")
    return seconds, True


def state(folder: Path) -> dict[str, np.ndarray]:
    """Every array of the last checkpoint: weights, optimizer, random state."""
    with zipfile.ZipFile(folder / runs.LAST) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    arrays: dict[str, np.ndarray] = {}
    with h5py.File(content) as file:
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return arrays


def differences(folder: Path, unbroken: Path) -> tuple[float, float]:
    """The largest differences of losses, of all epochs, and of arrays."""
    rows = [runs.read(place / runs.LAST).record.rows for place in (folder, unbroken)]
    losses = [
        abs(one[name] - two[name])
        for one, two in zip(*rows, strict=True)
        for name in two
        if "loss" in name
    ]
    one, two = state(folder), state(unbroken)
    if one.keys() != two.keys():
        raise RuntimeError("the checkpoints hold different arrays")
    arrays = [np.abs(one[name].astype(float) - two[name]).max(initial=0) for name in two]
    return max(losses), max(arrays)


def run(kills: int, seed: int, root: Path) -> None:
    """Kills, resumes, compares, prints."""
    unbroken = root / "unbroken"
    life, _ = lived(unbroken)
    moments, done, trainings = random.Random(seed), 0, 0
    print(f"unbroken: {life:.1f} s, {EPOCHS} epochs\n")
    print("| kill | training | after | whole epochs | half-written | unreadable |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    ends, unreadable = [], 0
    while done < kills or (root / f"{trainings}").exists():
        folder = root / f"{trainings}"
        seconds, ended = lived(folder, moments.uniform(0, life) if done < kills else math.inf)
        if ended:
            ends.append(differences(folder, unbroken))
            trainings += 1
            continue
        done += 1
        found = runs.find(folder)
        unreadable += len(found.problems)
        epochs = found.newest.record.epochs_done if found.newest else 0
        half = len(list(folder.glob(f"{files.UNFINISHED}*")))
        print(
            f"| {done} | {trainings + 1} | {seconds:.1f} s | {epochs} | {half} "
            f"| {len(found.problems)} |",
            flush=True,
        )
    print(
        f"\n{done} kills in {len(ends)} trainings, {unreadable} unreadable checkpoints; largest "
        f"difference at the ends: {max(loss for loss, _ in ends):.1e} of a loss, "
        f"{max(array for _, array in ends):.1e} of a checkpoint's arrays"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=Path, help="train in this folder, as the killed ones do")
    options = parser.parse_args()
    if options.train:
        train(options.train)
        return
    with tempfile.TemporaryDirectory() as root:
        run(options.kills, options.seed, Path(root))


if __name__ == "__main__":
    main()
