"""Refuses, in a sentence, to work with an installation that cannot work.

`check` asks the versions and the environment before anything is done; `explained` turns errors of
broken packages, which name neither the package nor the remedy, into one that does.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from kmaskrcnn import environment, versions

# What the errors say when a package was compiled for another NumPy.
OTHER_NUMPY = (
    "numpy.dtype size changed",
    "numpy.core.multiarray failed to import",
    "_ARRAY_API not found",
    "compiled using NumPy 1.x",
)
BY_MODULE = {row.module: row for row in versions.REQUIREMENTS}
LIBRARIES_OF_A_SCREEN = ("libGL.so", "libgthread-2.0.so", "libSM.so", "libXext.so")


class InstallationError(ImportError):
    """What is installed cannot work; the message says what to do."""


def tell() -> None:
    """Warns, in one line, of versions that do not fit; `check` will refuse to work with them.

    Not on the command line, whose verbs end in that sentence themselves.
    """
    text = versions.misfit(versions.core())
    if text and Path(sys.argv[0]).stem not in ("kmaskrcnn", "-m"):
        warnings.warn(text, RuntimeWarning, stacklevel=3)


@lru_cache(maxsize=1)
def check() -> None:
    """Refuses to work with what does not fit, and warns of versions that were never tried.

    Raises:
        InstallationError: found and supported versions with the line for pip; or another backend
            of Keras, and how to choose TensorFlow.
    """
    text = versions.misfit(versions.core()) or environment.wrong_backend()
    if text:
        raise InstallationError(text)
    notes = [
        f"{found.sentence()}: newer than what kmaskrcnn was tested with. Should something be "
        "wrong, `kmaskrcnn doctor` says what is here."
        for found in versions.core()
        if found.verdict == versions.NEWER
    ]
    for note in (*notes, environment.legacy_keras()):
        if note:
            warnings.warn(note, RuntimeWarning, stacklevel=2)


@contextmanager
def explained() -> Iterator[None]:
    """Errors of broken packages become an `InstallationError` that says which, and what to do."""
    try:
        yield
    except (ImportError, AttributeError, ValueError) as error:
        text = explain(error)
        if text and not isinstance(error, InstallationError):
            raise InstallationError(text) from error
        raise


def explain(error: BaseException) -> str:
    """What to do about an error while something was imported; empty for any other error."""
    if isinstance(error, InstallationError):
        return str(error)
    if any(part in str(error) for part in OTHER_NUMPY):
        return _other_numpy(error)
    if not isinstance(error, ImportError):
        return ""
    if any(part in str(error) for part in LIBRARIES_OF_A_SCREEN):
        return (
            "OpenCV is installed in its edition for a screen, and a library of that is missing "
            f"({_line(error)}). Run: python -m pip uninstall -y opencv-python "
            "opencv-contrib-python && python -m pip install --force-reinstall "
            "opencv-python-headless"
        )
    if error.name in BY_MODULE and isinstance(error, ModuleNotFoundError):
        missing = versions.Found(BY_MODULE[error.name], None, versions.MISSING)
        return versions.misfit(dict.fromkeys([*versions.core(), missing]))
    if "native TensorFlow runtime" in str(error) or "_pywrap_tensorflow" in str(error):
        name = versions.look(BY_MODULE["tensorflow"]).name
        return (
            f"{name} is installed and does not load ({_line(error)}). It needs a processor with "
            "AVX, and on Windows Microsoft's Visual C++ redistributable; if these are there, run: "
            f"python -m pip install --force-reinstall {name}"
        )
    return ""


def _other_numpy(error: BaseException) -> str:
    """The package is known by where the error was raised: the message does not name it."""
    module = _innermost_module(error.__traceback__)
    name = versions.look(BY_MODULE[module]).name if module in BY_MODULE else module
    return (
        f"{name or 'A package'} was built for another NumPy than {versions.installed('numpy')} "
        f"({_line(error)}). Run: python -m pip install --upgrade --force-reinstall --no-cache-dir "
        f"--no-deps {name or 'that package'}"
    )


def _innermost_module(traceback: TracebackType | None) -> str:
    """The top-level module whose code raised, NumPy's own and the import system's left out."""
    name = ""
    while traceback is not None:
        here = str(traceback.tb_frame.f_globals.get("__name__", "")).split(".")[0]
        if here not in ("", "numpy", "importlib", "kmaskrcnn", "__main__"):
            name = here
        traceback = traceback.tb_next
    return name


def _line(error: BaseException) -> str:
    """The error's first line that says something."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)
