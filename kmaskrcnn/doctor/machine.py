"""The machine: processors, memory, GPUs that the driver knows, the cache's folder and disk."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from kmaskrcnn import environment
from kmaskrcnn.precision import INSTRUCTIONS, instructions

GIB = 2**30


def machine() -> dict[str, Any]:
    """System, processor, CPUs that this process may use, memory in GiB, instructions of 16 bits."""
    usable = getattr(os, "sched_getaffinity", None)
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cpus": len(usable(0)) if usable else os.cpu_count(),
        "memory_gib": memory(),
        "instructions": {name: instructions(name) for name in INSTRUCTIONS},
    }


def memory() -> float | None:
    """All memory in GiB; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1)
    except (AttributeError, OSError, ValueError):
        return None


def gpus_of_the_driver() -> list[str]:
    """What ``nvidia-smi`` knows, as ``"NVIDIA H100 80GB HBM3, 81559 MiB, driver 550.54"``."""
    query = "--query-gpu=name,memory.total,driver_version"
    command = ["nvidia-smi", query, "--format=csv,noheader"]
    if shutil.which(command[0]) is None:
        return []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # a driver that does not answer: TensorFlow will say what it sees
    rows = [line.rpartition(", ") for line in done.stdout.splitlines() if line.strip()]
    return [f"{gpu}, driver {driver}" for gpu, _, driver in rows]


def cache() -> dict[str, Any]:
    """The folder of downloads and compiled ops: its size, and whether it can be written to."""
    folder = environment.cache_folder()
    there = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    return {
        "folder": str(folder),
        "mib": size_in_mib(folder),
        "cannot_write": why_not_writable(there),
        "free_gib": free_gib(there),
    }


def free_gib(folder: Path) -> float:
    """What is free on the folder's disk."""
    return round(shutil.disk_usage(folder).free / GIB, 1)


def size_in_mib(folder: Path) -> float | None:
    """All files below; None where they cannot be looked at."""
    try:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError:
        return None
    return round(size / 2**20, 1)


def why_not_writable(folder: Path) -> str:
    """The system's reason; empty where a file could be written. Tried, since rights can deceive."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        return error.strerror or str(error)
    return ""
