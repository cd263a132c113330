"""``python -m kmaskrcnn.doctor.probe``: tries, in a process of its own, what may fail or crash.

Each step prints one line of JSON when it begins and one when it is done, so that whoever reads
knows in which step a process died.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from kmaskrcnn import installation, versions

# Modules whose top does not yet load the compiled part.
COMPILED = {"pycocotools": "pycocotools.mask", "PIL": "PIL.Image"}
NEEDED_BY_ALL = ("tensorflow", "keras", "numpy")


def main(arguments: list[str]) -> None:
    """Imports every package, then asks TensorFlow, the op and, unless told not to, the model."""
    works = {row.module: attempt(row.module, partial(load, row)) for row in versions.REQUIREMENTS}
    if not all(works[module] for module in NEEDED_BY_ALL):
        return
    attempt("devices", devices)
    attempt("roi_align", roi_align)
    attempt("compiler", compiler_here)
    if "--no-run" not in arguments:
        attempt("forward", forward)


def attempt(step: str, work: Callable[[], Any]) -> bool:
    """Whether it went well; what came of it is printed."""
    say(step=step)
    start = perf_counter()
    try:
        with installation.explained(), contextlib.redirect_stdout(sys.stderr):
            result = work()
    except Exception as error:
        text = str(error).strip() or "no message"
        known = isinstance(error, installation.InstallationError)
        say(step=step, error=text if known else f"{type(error).__name__}: {text}")
        return False
    say(step=step, result=result, seconds=round(perf_counter() - start, 2))
    return True


def say(**content: Any) -> None:
    """One line that the other process reads."""
    print(json.dumps(content), file=sys.__stdout__, flush=True)


def load(row: versions.Requirement) -> str | None:
    """Imports a package; the version that it says it has."""
    importlib.import_module(COMPILED.get(row.module, row.module))
    version = getattr(sys.modules[row.module], "__version__", None)
    return None if version is None else str(version)


def devices() -> list[str]:
    """What TensorFlow can compute on, such as ``"GPU 0: NVIDIA H100, compute capability 9.0"``."""
    import tensorflow as tf

    said = []
    for device in tf.config.list_physical_devices():
        number = device.name.rpartition(":")[2]
        details = tf.config.experimental.get_device_details(device)
        name = details.get("device_name")
        capability = ".".join(map(str, details.get("compute_capability", ())))
        rest = f": {name}, compute capability {capability}" if name else ""
        said.append(f"{device.device_type} {number}{rest}")
    return said


def roi_align() -> str:
    """Which RoIAlign runs, and why."""
    from kmaskrcnn.ops import library

    return str(library.status()).removeprefix("RoIAlign runs on ")


def compiler_here() -> str:
    """The C++ compiler and its version."""
    from kmaskrcnn.ops import compiler

    command = compiler.find_compiler()
    answer = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=20)
    return (answer.stdout.splitlines() or [command])[0]


def forward() -> str:
    """A network of every part, built and used on a small picture."""
    import numpy as np

    from kmaskrcnn.model import MaskRCNN

    model = MaskRCNN.from_preset("tiny", class_names=["thing"])
    (found,) = model.predict(np.zeros((64, 96, 3), np.uint8))
    return f"tiny, {model.count_params():,} parameters: {len(found)} boxes and masks"


if __name__ == "__main__":
    main(sys.argv[1:])
