"""Finds, loads and builds the C++ RoIAlign op, and says which implementation runs and why.

An op is an accelerator and never a requirement: without it TensorFlow's own ops do the work.
``KMASKRCNN_ROI_ALIGN`` chooses: ``auto`` (the op where it loads and no GPU is visible), ``op`` (or
an error), ``fallback``.
"""

import contextlib
import contextvars
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import tensorflow as tf

from kmaskrcnn.environment import ROI_ALIGN as VARIABLE
from kmaskrcnn.environment import cache_folder
from kmaskrcnn.ops import compiler

MODES = ("auto", "op", "fallback")
HOW_TO_BUILD = "run `kmaskrcnn build-op` to compile it (needs g++)"

_override: contextvars.ContextVar[str | None] = contextvars.ContextVar("roi_align", default=None)
_loaded: dict[Path, ModuleType] = {}
_failures: dict[Path, str] = {}


@dataclass(frozen=True)
class Status:
    """Which RoIAlign runs.

    Attributes:
        implementation: ``"op"`` or ``"fallback"``.
        reason: why, in a sentence part.
        path: the op's binary, where there is one.
    """

    implementation: str
    reason: str
    path: Path | None = None

    def __str__(self) -> str:
        names = {"op": "the C++ op", "fallback": "TensorFlow's crop_and_resize"}
        return f"RoIAlign runs on {names[self.implementation]}: {self.reason}"


def places() -> list[Path]:
    """Where the binary for this TensorFlow may lie, in the order in which it is looked for."""
    name = compiler.file_name(tf.__version__)
    return [compiler.source_folder() / "build" / name, cache_folder() / name]


def load() -> ModuleType | None:
    """The op's module, loaded at the first call; None where there is no binary that loads."""
    for path in places():
        if path in _loaded:
            return _loaded[path]
        if not path.is_file() or path in _failures:
            continue
        try:
            _loaded[path] = tf.load_op_library(str(path))
            return _loaded[path]
        except (tf.errors.OpError, OSError) as error:
            _failures[path] = f"{path} does not load: {str(error).splitlines()[0]}"
    return None


def loaded() -> ModuleType:
    """The op's module, for gradients of a graph that holds the op.

    Raises:
        RuntimeError: the binary has gone since.
    """
    module = load()
    if module is None:
        raise RuntimeError(f"The graph holds the RoIAlign op, which is not there: {HOW_TO_BUILD}.")
    return module


def build(verbose: bool = False, output_folder: str | Path | None = None) -> Path:
    """Compiles the op for the TensorFlow at hand, and the CUDA launcher where ``nvcc`` is found.

    Args:
        verbose: print the commands and what the compilers say.
        output_folder: where to; by default the checkout's ``custom_ops/roi_align/build``, or the
            user's cache for an installed package.

    Returns:
        The op's file.

    Raises:
        RuntimeError: there is no compiler, or it failed.
    """
    folder = Path(output_folder) if output_folder else _default_folder()
    target = folder / compiler.file_name(tf.__version__)
    flags = tf.sysconfig.get_compile_flags(), tf.sysconfig.get_link_flags()
    compiler.compile_op(target, *flags, verbose=verbose)
    _failures.pop(target, None)
    try:
        compiler.compile_cuda(folder / "libroi_align_cuda.so", verbose=verbose)
    except RuntimeError as error:  # nothing in the package needs it: it must not spoil the op
        print(f"The CUDA launcher did not build; the CPU op is ready. {error}")
    return target


def _default_folder() -> Path:
    source = compiler.source_folder()
    package = Path(__file__).resolve().parents[1]
    return cache_folder() if package in source.parents else source / "build"


def mode() -> str:
    """``auto``, ``op`` or ``fallback``: of `using`, else of the environment.

    Raises:
        ValueError: the environment variable holds something else.
    """
    value = _override.get() or os.environ.get(VARIABLE) or "auto"
    if value not in MODES:
        raise ValueError(f"{VARIABLE} must be one of {', '.join(MODES)}; it is {value!r}.")
    return value


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Runs, and traces, what is inside with another mode: ``with using("fallback"): …``.

    An exported graph must not hold the op, which only kmaskrcnn can load.
    """
    if name not in MODES:
        raise ValueError(f"Expected one of {', '.join(MODES)}; got {name!r}.")
    token = _override.set(name)
    try:
        yield
    finally:
        _override.reset(token)


def status() -> Status:
    """Which implementation of RoIAlign runs now, and why. Prints as one line.

    Raises:
        ValueError: KMASKRCNN_ROI_ALIGN holds an unknown word.
    """
    chosen = mode()
    if chosen == "fallback":
        return Status("fallback", f"chosen by {VARIABLE}=fallback")
    if chosen == "auto" and tf.config.list_physical_devices("GPU"):
        return Status("fallback", f"a GPU is visible and the op is for CPUs ({VARIABLE}=op forces)")
    module = load()
    if module is not None:
        path = next(path for path, loaded in _loaded.items() if loaded is module)
        return Status("op", f"loaded from {path}", path)
    reason = "; ".join(_failures.values()) or f"no binary for TensorFlow {tf.__version__}"
    return Status("fallback", f"{reason}; {HOW_TO_BUILD}")


def selected() -> ModuleType | None:
    """The op's module where the op is to run, None where the fallback is.

    Raises:
        RuntimeError: KMASKRCNN_ROI_ALIGN=op and there is no op.
    """
    now = status()
    if now.implementation == "op":
        return load()
    if mode() == "op":
        raise RuntimeError(f"{VARIABLE}=op, but there is no op to run: {now.reason}.")
    return None
