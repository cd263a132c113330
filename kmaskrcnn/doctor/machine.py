"""The machine: processors, memory, GPUs that the driver knows, the cache's folder and disk."""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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
        "processor": processor(),
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


def available_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that can still be taken before something is killed or swapped out.

    The least of what the system has left and of what the limits of this process' control groups
    (containers, batch systems) leave; nan where the system does not tell.
    """
    rooms = [*_rooms_in_groups(proc, groups)]
    for line in _read(proc / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            rooms.append(1024.0 * int(line.split()[1]))
    return min(rooms, default=math.nan)


def _rooms_in_groups(proc: Path, groups: Path) -> Iterator[float]:
    """What each control group with a limit leaves, from the process' own up to the root's."""
    for line in _read(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = groups / controllers
        own = top / path.lstrip("/")
        for folder in (own, *own.parents):
            if folder.is_relative_to(top):
                yield from _room_in(folder)


def _room_in(folder: Path) -> Iterator[float]:
    """A group's limit less what it uses and cannot drop; nothing of a group without a limit."""
    for limit, usage in (("max", "current"), ("limit_in_bytes", "usage_in_bytes")):  # v2, v1
        most, used = _read(folder / f"memory.{limit}"), _read(folder / f"memory.{usage}")
        if most.strip().isdecimal() and used.strip().isdecimal():
            stat = dict(row.split() for row in _read(folder / "memory.stat").splitlines())
            cached = stat.get("total_inactive_file", stat.get("inactive_file", "0"))
            yield max(0.0, float(most) - float(used) + float(cached))


def processor() -> str:
    """Its name, such as ``"Intel(R) Xeon(R) Platinum 8481C"``, or else its architecture."""
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _read(file: Path) -> str:
    """A file of the system's; empty where there is none."""
    try:
        return file.read_text()
    except OSError:
        return ""


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
