"""Compiles the RoIAlign op with a plain C++ compiler. Needs no TensorFlow in this process.

A binary fits the TensorFlow it was built for and those with the same C++ symbols; the file's name
says which, and holds a digest of the sources, so that a stale binary is never picked up.
"""

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SOURCES = (
    "roi_align_geometry.h",
    "roi_align_vector.h",
    "roi_align.h",
    "roi_align_op.cc",
)
CUDA_SOURCE = "roi_align.cu"
OPTIMIZE = ("-O3", "-DNDEBUG", "-fPIC", "-shared")


def source_folder() -> Path:
    """Where the C++ sources lie: inside an installed wheel, or beside the package in a checkout.

    Raises:
        FileNotFoundError: neither place has them.
    """
    package = Path(__file__).resolve().parents[1]
    places = [package / "custom_ops" / "roi_align", package.parent / "custom_ops" / "roi_align"]
    for place in places:
        if all((place / name).is_file() for name in SOURCES):
            return place
    raise FileNotFoundError(
        f"The sources of the RoIAlign op ({', '.join(SOURCES)}) are neither in {places[0]} nor in "
        f"{places[1]}. Install kmaskrcnn again."
    )


def abi_group(tensorflow_version: str) -> str:
    """The TensorFlow versions that one binary serves: 2.16 to 2.19 together, later ones alone."""
    major, minor = (int(part) for part in tensorflow_version.split(".")[:2])
    return "2.16_2.19" if (2, 16) <= (major, minor) <= (2, 19) else f"{major}.{minor}"


@functools.lru_cache(maxsize=1)
def _digest(folder: Path) -> str:
    text = b"".join((folder / name).read_bytes() for name in SOURCES)
    return hashlib.sha256(text).hexdigest()[:8]


def file_name(tensorflow_version: str) -> str:
    """Name of the binary of these sources for a TensorFlow version on this kind of machine."""
    machine = f"{platform.system().lower()}_{platform.machine().lower()}"
    group = abi_group(tensorflow_version)
    return f"roi_align-{_digest(source_folder())}-tf{group}-{machine}.so"


def compile_op(
    target: Path, compile_flags: Sequence[str], link_flags: Sequence[str], *, verbose: bool = False
) -> Path:
    """Compiles the op into `target`.

    The kernels are compiled for AVX-512, AVX2 and plain x86-64 in one file and the loader picks, so
    the binary runs on every processor of the architecture.

    Args:
        target: the file to write; it appears whole or not at all.
        compile_flags: of the TensorFlow to build for, as ``tf.sysconfig.get_compile_flags()`` says.
        link_flags: likewise, ``tf.sysconfig.get_link_flags()``.
        verbose: print the command and what the compiler says.

    Returns:
        `target`.

    Raises:
        RuntimeError: there is no compiler, or it failed.
    """
    # TensorFlow's own headers are full of warnings that nobody here can mend.
    quiet = [f"-isystem{flag[2:]}" if flag.startswith("-I") else flag for flag in compile_flags]
    source = str(source_folder() / "roi_align_op.cc")
    darwin = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    command = [find_compiler(), *OPTIMIZE, *quiet, source, "-o", "{target}", *link_flags, *darwin]
    return _run(command, target, verbose)


def compile_cuda(target: Path, *, verbose: bool = False) -> Path | None:
    """Compiles the CUDA launcher, a library without TensorFlow, where ``nvcc`` is found.

    Returns:
        `target`, or None without ``nvcc``.

    Raises:
        RuntimeError: ``nvcc`` failed.
    """
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        return None
    architectures = [
        f"-gencode=arch=compute_{number},code=sm_{number}" for number in ("80", "90")
    ] + ["-gencode=arch=compute_90,code=compute_90"]
    source = str(source_folder() / CUDA_SOURCE)
    flags = ["-O3", "-std=c++17", "-Xcompiler=-fPIC", "-shared"]
    return _run([nvcc, *flags, *architectures, source, "-o", "{target}"], target, verbose)


def find_compiler() -> str:
    """The command of a C++ compiler: ``CXX``, or the first that is here.

    Raises:
        RuntimeError: there is none.
    """
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "c++", "clang++"]
    for name in names:
        if shutil.which(name):
            return name
    raise RuntimeError(
        f"No C++ compiler found (looked for {', '.join(names)}). Install g++, or set CXX; without "
        "one RoIAlign runs on TensorFlow's own ops."
    )


def _run(command: list[str], target: Path, verbose: bool) -> Path:
    """Runs `command` with ``{target}`` a temporary file, which is moved to `target` when done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        partial = Path(folder, target.name)
        command = [str(partial) if part == "{target}" else part for part in command]
        if verbose:
            print(" ".join(command))
        result = subprocess.run(command, capture_output=True, text=True)
        if verbose and result.stderr:
            print(result.stderr)
        if result.returncode:
            last = "\n".join([" ".join(command), *result.stderr.strip().splitlines()[-20:]])
            raise RuntimeError(f"{command[0]} failed with code {result.returncode} on:\n{last}")
        os.replace(partial, target)
    return target
