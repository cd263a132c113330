"""A folder has one owner, and the system lets go of it when that one ends."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from kmaskrcnn import locks

HOLDER = """
import sys, time
from kmaskrcnn import locks
with locks.locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_holds_it_and_a_kill_lets_go(tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HOLDER, str(folder)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    words = rf"run: in use by process {holder.pid} on \S+ since \d{{4}}-.*another folder"
    with pytest.raises(locks.FolderInUseError, match=words), locks.locked(folder):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locks.locked(folder):
        assert f"process {os.getpid()}" in (folder / locks.NAME).read_text()


def test_it_holds_within_a_process_and_ends_with_the_block(tmp_path):
    with locks.locked(tmp_path):
        with pytest.raises(locks.FolderInUseError), locks.locked(tmp_path):
            pass
    with pytest.raises(ZeroDivisionError), locks.locked(tmp_path):
        raise ZeroDivisionError
    with locks.locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file.*another folder"), locks.locked(tmp_path / "file"):
        pass


def test_a_file_system_without_locks_is_used_all_the_same(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with locks.locked(tmp_path) as folder:
        assert folder == tmp_path
