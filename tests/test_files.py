"""Writing files: whole or not at all, whatever goes wrong, and a sentence about it."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from kmaskrcnn import files
from tests.limits import file_size_limit


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_into_a_new_folder_and_replaced(tmp_path):
    path = tmp_path / "new" / "a.txt"
    files.write_text(path, "é")
    assert path.read_bytes() == "é".encode()
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two" and listing(path.parent) == ["a.txt"]


def test_nothing_stands_under_the_name_before_it_is_whole(tmp_path):
    path = tmp_path / "a.keras"
    path.write_text("old")
    with files.atomic(path) as unfinished:
        assert unfinished.name == path.name and unfinished.parent.parent == tmp_path
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and listing(tmp_path) == ["a.keras"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
def test_what_stops_the_writer_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), files.atomic(path) as unfinished:
        unfinished.write_text("half")
        (unfinished.parent / "by-product").write_text("")
        raise error
    assert path.read_text() == "old" and listing(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full: free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
@pytest.mark.parametrize("step", ["mkdir", "write", "fsync", "replace"])
def test_errors_of_the_system_are_sentences(tmp_path, monkeypatch, number, words, step):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    if step in ("fsync", "replace"):
        monkeypatch.setattr(files.os, step, fail)
    if step == "mkdir":
        monkeypatch.setattr(files.Path, "mkdir", fail)
    with pytest.raises(OSError, match=words) as caught, files.atomic(path) as unfinished:
        unfinished.write_text("new")
        if step == "write":
            fail()
    monkeypatch.undo()
    assert str(caught.value).startswith(f"{path}: cannot be written: ")
    assert caught.value.errno == number and "\n" not in str(caught.value)
    assert path.read_text() == "old" and listing(tmp_path) == ["a.txt"]


def test_a_folder_that_vanishes_and_a_file_in_its_place(tmp_path):
    with pytest.raises(OSError, match="folder is not there any more"):
        with files.atomic(tmp_path / "gone" / "a.txt") as unfinished:
            unfinished.parent.rmdir()
            (tmp_path / "gone").rmdir()
            unfinished.write_text("")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"b\.txt: cannot be written: what should be its folder is"):
        files.write_text(tmp_path / "file" / "b.txt", "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="there is a folder of that name"):
        files.write_text(tmp_path / "folder", "")


def test_a_writer_that_writes_nothing_is_noticed(tmp_path):
    with pytest.raises(OSError, match="wrote nothing"), files.atomic(tmp_path / "a"):
        pass


def test_an_error_about_another_file_keeps_its_words(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), files.atomic(tmp_path / "a.txt"):
        (tmp_path / "other").read_bytes()


def test_a_link_is_followed_and_a_device_written_to(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    files.write_text("/dev/null", "new")
    assert not os.path.isfile("/dev/null")


def test_a_duplicate_does_not_change_with_its_source(tmp_path, monkeypatch):
    source, link, copy = (tmp_path / name for name in ("source", "link", "copy"))
    source.write_text("1")
    files.duplicate(source, link)

    def refuse(*_):
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(files.os, "link", refuse)
    files.duplicate(source, copy)
    files.write_text(source, "2")
    assert link.read_text() == copy.read_text() == "1"


def test_a_file_larger_than_allowed(tmp_path):
    with file_size_limit(2000), pytest.raises(OSError, match="larger than allowed"):
        files.write_bytes(tmp_path / "a", bytes(3000))
    assert listing(tmp_path) == []


@pytest.fixture
def full_disk(tmp_path):
    """A real file system of 64 KiB, where this machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(full_disk):
    path = full_disk / "a"
    files.write_bytes(path, b"old" * 10_000)
    with pytest.raises(OSError, match="disk is full"):
        files.write_bytes(path, bytes(60_000))
    assert path.read_bytes() == b"old" * 10_000 and listing(full_disk) == ["a"]


KILLED = """
import sys, time
from kmaskrcnn import files
from tests.limits import file_size_limit
with files.atomic(sys.argv[1]) as unfinished:
    unfinished.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_the_old_file_and_its_rest_is_removed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "writing\n"
    assert files.remove_unfinished(tmp_path) == []  # it is still at work
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert path.read_text() == "old" and len(listing(tmp_path)) == 2
    (left,) = files.remove_unfinished(tmp_path)
    assert left.startswith(files.UNFINISHED) and listing(tmp_path) == ["a.txt"]
    assert time.time() - path.stat().st_mtime < 60
