"""Gathers what `kmaskrcnn doctor` tells, and says what has to be mended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kmaskrcnn
from kmaskrcnn import environment, versions
from kmaskrcnn.doctor.child import Outcome, run_probe
from kmaskrcnn.doctor.machine import cache, gpus_of_the_driver, machine
from kmaskrcnn.versions import Found, Requirement

Diagnosis = dict[str, Any]
STEPS = ("devices", "roi_align", "compiler", "forward")
ROOM = 1.0  # GiB: less is too little for weights and a checkpoint


def diagnose(run: bool = True) -> Diagnosis:
    """All facts as JSON-able values. Imports nothing that may be broken into this process.

    Args:
        run: also build a small network and use it, as the proof that all works together.

    Returns:
        Facts by topic, ``problems`` (what has to be mended, empty when all is well) and ``notes``
        (what may matter), each a list of sentences.
    """
    probed = run_probe(run)
    looked = [versions.look(row) for row in versions.REQUIREMENTS]
    python = versions.look_at_python()
    facts: Diagnosis = {
        "kmaskrcnn": kmaskrcnn.__version__,
        "folder": str(Path(kmaskrcnn.__file__).parent),
        "python": row_of(python, {}),
        "machine": machine(),
        "packages": [row_of(found, probed.get(found.requirement.module, {})) for found in looked],
        "optional": [optional(row) for row in versions.OPTIONAL],
        "gpus_of_the_driver": gpus_of_the_driver(),
        **{step: probed.get(step, {"skipped": "not tried"}) for step in STEPS},
        "cache": cache(),
        "environment": {
            name: os.environ[name] for name in environment.VARIABLES if name in os.environ
        },
    }
    facts["problems"] = [*problems(probed, [python, *looked])]
    facts["notes"] = [*notes(facts, [python, *looked])]
    return facts


def row_of(found: Found, outcome: Outcome) -> dict[str, Any]:
    """One line of the table of packages."""
    fails = "error" in outcome and not found.broken
    return {
        "name": found.name,
        "version": found.version or outcome.get("result"),
        "supported": found.requirement.supported,
        "verdict": "does not import" if fails else found.verdict,
        "seconds": outcome.get("seconds"),
    }


def optional(row: Requirement) -> dict[str, Any]:
    """What a package on request is for, whether it is here, and how to get it."""
    found = versions.look(row)
    return {
        "name": row.name,
        "version": found.version,
        "verdict": found.verdict,
        "for": versions.OPTIONAL[row],
        "install": f'python -m pip install "kmaskrcnn[{row.name}]"',
    }


def problems(probed: dict[str, Outcome], looked: list[Found]) -> Iterator[str]:
    """What keeps the package from working, the cause before what follows from it."""
    yield from filter(None, [versions.misfit(looked), environment.wrong_backend()])
    for found in looked:
        error = probed.get(found.requirement.module, {}).get("error")
        if error and found.verdict != versions.MISSING:
            yield f"{found.name} does not import: {error}"
    for step in ("start", *STEPS):
        error = probed.get(step, {}).get("error")
        if error and step != "compiler":
            yield f"{WHAT_FAILED[step]}: {error}"


WHAT_FAILED = {
    "start": "The tests of this installation did not start",
    "devices": "TensorFlow does not tell its devices",
    "roi_align": "RoIAlign",
    "forward": "A small network does not run",
}


def notes(facts: Diagnosis, looked: list[Found]) -> Iterator[str]:
    """What works and may yet surprise."""
    for found in looked:
        if found.verdict == versions.NEWER:
            yield f"{found.sentence()}: newer than what was tested."
        if found.beside:
            yield (
                f"{found.name} and {', '.join(found.beside)} have the same module and overwrite "
                f"each other's files: uninstall all of them and install {found.requirement.name}."
            )
    addons = versions.installed("tensorflow-addons")
    if addons:
        yield (
            f"tensorflow-addons {addons} is installed. It cannot be imported beside Keras 3; "
            "nothing here needs it, and the README says what took its place."
        )
    yield from filter(None, [environment.legacy_keras(), unseen_gpu(facts), *about_cache(facts)])


def unseen_gpu(facts: Diagnosis) -> str:
    """A sentence when the driver knows a GPU and TensorFlow does not; else empty."""
    seen = facts["devices"].get("result")
    hidden = facts["environment"].get("CUDA_VISIBLE_DEVICES", "shown") in ("", "-1")
    gpus = facts["gpus_of_the_driver"]
    if not gpus or hidden or seen is None or any(name.startswith("GPU") for name in seen):
        return ""
    return (
        f"The driver knows {gpus[0]}, TensorFlow sees no GPU. Its wheel with CUDA: python -m pip "
        'uninstall -y tensorflow-cpu && python -m pip install --upgrade "tensorflow[and-cuda]"'
    )


def about_cache(facts: Diagnosis) -> Iterator[str]:
    """The folder that cannot be written to, the disk that is nearly full."""
    here = facts["cache"]
    if here["cannot_write"]:
        yield (
            f"{here['folder']} cannot be written to ({here['cannot_write']}): weights cannot be "
            f"downloaded. Name another folder in {environment.CACHE}."
        )
    if here["free_gib"] < ROOM:
        yield f"{here['free_gib']} GiB are free on the disk of {here['folder']}."
