"""The cache of weights: fetched once, checked each time, whole or not at all."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kmaskrcnn import environment
from kmaskrcnn.weights.hub import download, transfer
from kmaskrcnn.weights.hub.download import DownloadError, fetch, is_cached, place
from kmaskrcnn.weights.hub.published import PublishedWeights, published
from tests.weights.server import Answer, serving

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache, no proxy, no waiting."""
    monkeypatch.setenv("KMASKRCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("KMASKRCNN_OFFLINE", raising=False)
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    return tmp_path / "cache/weights/family"


@pytest.fixture
def server():
    with serving(CONTENT) as server:
        yield server


def row(server, **changes) -> PublishedWeights:
    known = {"size": len(CONTENT), "sha256": SHA256[:8]} | changes
    url = f"{server.address}/model-1.pth"
    return PublishedWeights("family/preset", "coco", url, "BSD", "source", **known)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_is_fetched_once(server, cache):
    weights = row(server)
    assert not is_cached(weights)
    path = fetch(weights)
    assert path == cache / "model-1.pth" and path.read_bytes() == CONTENT
    assert is_cached(weights) and fetch(weights) == path
    assert len(server.requests) == 1 and files(cache) == ["model-1.pth"]


def test_a_folder_of_ones_own(server, tmp_path):
    assert fetch(row(server), tmp_path / "mine") == tmp_path / "mine/model-1.pth"
    assert fetch(row(server), str(tmp_path / "mine")) == tmp_path / "mine/model-1.pth"
    assert len(server.requests) == 1


def test_the_cache_is_the_one_of_the_compiled_op(monkeypatch, tmp_path):
    weights = published("detectron2/mask_rcnn_R_50_FPN")
    expected = environment.cache_folder() / "weights/detectron2/model_final_f10217.pkl"
    assert place(weights) == expected
    monkeypatch.delenv("KMASKRCNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert place(weights).is_relative_to(tmp_path / "xdg/kmaskrcnn/weights")


def test_an_address_that_is_in_no_table(server):
    first = fetch(f"{server.address}/a/model.pkl")
    second = fetch(f"{server.address}/b/model.pkl?download=1")
    assert first.name == second.name == "model.pkl" and first != second
    assert fetch(f"{server.address}/a/model.pkl") == first and len(server.requests) == 2
    for url in ("https://example.org/", "https://example.org/..", "https://example.org/a%2Fb"):
        with pytest.raises(ValueError, match="does not end in the name of a file"):
            fetch(url)


def test_what_was_cut_is_continued_in_the_next_call(server, cache):
    server.answers = [Answer(cut_after=100_000), Answer(status=404), Answer()]
    with pytest.raises(DownloadError):
        fetch(row(server))
    assert files(cache) == ["model-1.pth.part", "model-1.pth.part.json"]
    assert fetch(row(server)).read_bytes() == CONTENT
    assert server.ranges()[-1] == "bytes=100000-" and files(cache) == ["model-1.pth"]


DAMAGED = CONTENT[:-1] + b"?"
CORRUPT = {
    "sha256": ({}, DAMAGED, f"a sha256 that begins with {SHA256[:8]}, got [0-9a-f]{{64}}"),
    "md5": ({"sha256": None, "md5": MD5[:6]}, DAMAGED, f"a md5 that begins with {MD5[:6]}, got"),
    "size": ({"sha256": None}, CONTENT[:-1], "256,000 bytes, got 255,999"),
    "whole sha256": ({"sha256": SHA256}, DAMAGED, f"a sha256 that begins with {SHA256}, got"),
}


@pytest.mark.parametrize(("known", "content", "expected"), CORRUPT.values(), ids=CORRUPT.keys())
def test_a_damaged_file_is_deleted(known, content, expected, server, cache):
    server.answers = [Answer(content=content)]
    with pytest.raises(DownloadError, match=f"which was deleted: expected {expected}"):
        fetch(row(server, **known))
    assert files(cache) == []
    server.answers = [Answer()]
    assert fetch(row(server, **known)).read_bytes() == CONTENT


def test_a_length_that_is_stated_too_short_is_found_out(server, cache):
    server.answers = [Answer(extra_length=-100)]
    with pytest.raises(DownloadError, match="expected 256,000 bytes, got 255,900"):
        fetch(row(server))
    assert files(cache) == []


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_checksums_in_capitals_and_alone(kind, server):
    digests = {"sha256": SHA256.upper(), "md5": MD5.upper()}
    assert fetch(row(server, size=None, **({"sha256": None} | {kind: digests[kind]})))


def test_a_wrong_file_put_there_by_hand_is_found_out_and_left_alone(server, cache):
    cache.mkdir(parents=True)
    (cache / "model-1.pth").write_bytes(b"<html>")
    assert not is_cached(row(server))
    with pytest.raises(DownloadError, match=r"model-1\.pth is not the file .*, got 6\. Delete it"):
        fetch(row(server))
    (cache / "model-1.pth").write_bytes(DAMAGED)
    with pytest.raises(DownloadError, match=f"begins with {SHA256[:8]}, got .*put the right one"):
        fetch(row(server))
    assert (cache / "model-1.pth").exists() and not server.requests


def test_a_folder_in_the_place_of_the_file(server, cache):
    (cache / "model-1.pth").mkdir(parents=True)
    with pytest.raises(DownloadError, match="expected a file"):
        fetch(row(server))


def test_offline_says_address_and_place(server, cache, monkeypatch):
    monkeypatch.setenv("KMASKRCNN_OFFLINE", "1")
    weights = row(server)
    with pytest.raises(DownloadError) as caught:
        fetch(weights)
    assert weights.url in str(caught.value) and str(cache / "model-1.pth") in str(caught.value)
    assert not server.requests and not cache.exists()
    cache.mkdir(parents=True)
    (cache / "model-1.pth").write_bytes(CONTENT)  # by hand, as it says
    assert fetch(weights).read_bytes() == CONTENT
    monkeypatch.setenv("KMASKRCNN_OFFLINE", "0")
    (cache / "model-1.pth").unlink()
    assert fetch(weights)


def test_no_network_says_address_and_place(cache):
    with serving(b"") as gone:
        weights = row(gone)
    with pytest.raises(DownloadError) as caught:
        fetch(weights)
    assert f"put the file of {weights.url} at {cache / 'model-1.pth'}" in str(caught.value)


def test_more_than_the_stated_size_is_not_fetched(server, cache):
    for known in ({"size": 1000}, {"size": None, "mib": 0.1}):
        with pytest.raises(DownloadError, match="256,000 bytes, more than .*: not the file"):
            fetch(row(server, **known))
    assert files(cache) == []
    server.answers = [Answer(extra_length=5 * 2**30)]
    with pytest.raises(DownloadError, match="more than 4,294,967,296"):
        fetch(row(server, size=None))


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(OSError, match="taken"):
        fetch(row(server), tmp_path / "taken")


def test_progress_is_called(server):
    seen = []
    fetch(row(server), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (256_000, 256_000)


def test_what_takes_long_says_so(server, capsys, monkeypatch):
    fetch(row(server))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(download, "QUIET", 0.0)
    fetch(f"{server.address}/other.bin")
    assert capsys.readouterr().err.startswith("other.bin: 0 of 0 MiB\n")


def test_on_a_terminal_the_line_is_ended_when_all_is_there(server, capsys, monkeypatch):
    monkeypatch.setattr(download, "QUIET", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    server.answers = [Answer(content=b"?" * 2**20)]
    fetch(f"{server.address}/other.bin")
    assert capsys.readouterr().err == "other.bin: 0 of 1 MiB\rother.bin: 1 of 1 MiB\n"


def test_two_threads_fetch_one_file(server, cache, capsys):
    server.answers = [Answer(pause=0.05)]
    found: list[bytes] = []

    def work() -> None:
        found.append(fetch(row(server)).read_bytes())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 3
    assert len(server.requests) == 1 and files(cache) == ["model-1.pth"]
    assert "waiting for another download" in capsys.readouterr().err


def test_a_file_system_without_locks(server, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def no_locks(*args):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(DownloadError, match="cannot be locked .*another folder in KMASKRCNN_CACHE"):
        fetch(row(server))


PROCESS = """
import sys
from kmaskrcnn.weights.hub.download import fetch
print("ready", flush=True)
sys.stdin.readline()
print(fetch(sys.argv[1], sys.argv[2]).stat().st_size, flush=True)
"""


@pytest.mark.slow
def test_processes_do_not_spoil_each_others_file(server, tmp_path):
    server.answers = [Answer(pause=0.2), Answer(pause=0.02)]
    command = [sys.executable, "-c", PROCESS, f"{server.address}/model.pth", str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        start(processes[0])
        while not (tmp_path / "model.pth.part.json").exists():
            assert processes[0].poll() is None
        for process in processes[1:]:
            start(process)
        processes[0].kill()  # it holds the lock, in the middle of the file
        for process in processes[1:]:
            assert process.communicate(timeout=60)[0] == "256000\n"
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stdin.close()
    assert (tmp_path / "model.pth").read_bytes() == CONTENT
    assert len(server.requests) == 2  # one of the two went on, the other waited


def start(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.flush()
