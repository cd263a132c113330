"""Packages that are not what they should be, in a folder that Python looks into first."""

import os
import subprocess
import sys
from pathlib import Path

from tests.floors import ROOT


def pretend(folder: Path, **versions: str) -> Path:
    """The metadata of distributions, without their code: ``tensorflow_cpu="2.15.0"``."""
    for name, version in versions.items():
        place = folder / f"{name}-{version}.dist-info"
        place.mkdir(parents=True)
        text = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        (place / "METADATA").write_text(text)
    return folder


def broken_module(folder: Path, name: str, code: str) -> Path:
    """A package that runs ``code`` when it is imported."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "__init__.py").write_text(code + "\n")
    return folder


def python(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    """Runs Python with what `folder` pretends; standard output and error come as text."""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT.parent}", **variables}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
