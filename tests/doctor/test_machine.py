"""The memory that is left, by what Linux tells of the machine and of control groups."""

import math

import pytest

from kmaskrcnn.doctor import machine

GROUPS = {
    "no groups": ("", {}, 8000.0),
    "no limit": ("0::/job", {"job/memory.max": "max", "job/memory.current": "5"}, 8000.0),
    "a container": ("0::/", {"memory.max": "6000", "memory.current": "2500"}, 3500.0),
    "files in memory can go": (
        "0::/job",
        {
            "job/memory.max": "6000",
            "job/memory.current": "2500",
            "job/memory.stat": "anon 1\ninactive_file 500",
        },
        4000.0,
    ),
    "the limit is the parent's": (
        "0::/slice/job",
        {
            "slice/memory.max": "900",
            "slice/memory.current": "1000",
            "slice/job/memory.max": "max",
            "slice/job/memory.current": "700",
        },
        0.0,
    ),
    "version 1": (
        "5:devices:/\n4:memory:/job",
        {
            "memory/job/memory.limit_in_bytes": "7000",
            "memory/job/memory.usage_in_bytes": "2000",
            "memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 1000",
        },
        6000.0,
    ),
    "version 1 without a limit": (
        "4:memory:/",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.usage_in_bytes": "1",
        },
        8000.0,
    ),
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(("own", "groups", "expected"), GROUPS.values(), ids=GROUPS.keys())
def test_what_is_left(own, groups, expected, tmp_path):
    meminfo = "MemTotal: 9 kB\nMemAvailable: 8 kB\nCached: 3 kB"
    write(tmp_path / "proc", {"meminfo": meminfo, "self/cgroup": own})
    write(tmp_path / "groups", groups)
    left = machine.available_memory(tmp_path / "proc", tmp_path / "groups")
    assert left == pytest.approx(expected, rel=0.03)  # a kB is 1024 bytes


def test_a_system_that_does_not_tell(tmp_path):
    assert math.isnan(machine.available_memory(tmp_path, tmp_path))


def test_here():
    assert machine.processor()
    left = machine.available_memory()
    assert math.isnan(left) or left > 1e6
