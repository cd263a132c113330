"""One file over HTTP, from servers that misbehave."""

import socket
import urllib.request

import pytest

from kmaskrcnn.weights.hub import transfer
from kmaskrcnn.weights.hub.transfer import DownloadError, get
from tests.weights.server import Answer, serving

CONTENT = bytes(range(256)) * 1000  # 256,000 bytes
HALF = 128_000


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    monkeypatch.setenv("no_proxy", "*")
    with serving(CONTENT) as server:
        yield server


@pytest.fixture
def part(tmp_path):
    return tmp_path / "weights.pth.part"


def fetch(server, part, path="/weights.pth", limit=10**6, progress=lambda done, total: None):
    get(server.address + path, part, limit, progress)


def test_a_file_comes_whole(server, part):
    seen = []
    fetch(server, part, progress=lambda done, total: seen.append((done, total)))
    assert part.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and len(seen) > 2
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def test_a_file_without_a_stated_length(server, part):
    server.answers = [Answer(extra_length=None)]
    seen = []
    fetch(server, part, progress=lambda done, total: seen.append(total))
    assert part.read_bytes() == CONTENT and set(seen) == {None}


def test_an_empty_file(server, part):
    server.answers = [Answer(content=b"")]
    fetch(server, part)
    assert part.read_bytes() == b""


def test_what_was_cut_goes_on_where_it_was_cut(server, part):
    server.answers = [Answer(cut_after=HALF), Answer(cut_after=1000), Answer()]
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert server.ranges() == ["", f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert server.requests[1][1]["If-Range"] == '"first"'


def test_it_goes_on_in_another_call(server, part):
    server.answers = [Answer(cut_after=HALF), Answer(status=404), Answer()]
    with pytest.raises(DownloadError, match="404"):
        fetch(server, part)
    assert part.read_bytes() == CONTENT[:HALF]
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert server.ranges()[-1] == f"bytes={HALF}-"


def test_many_cuts_are_borne_as_long_as_each_try_brings_something(server, part):
    server.answers = [Answer(cut_after=20_000)]
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert len(server.requests) == 13


def test_a_server_without_ranges_starts_again(server, part):
    server.answers = [Answer(cut_after=HALF), Answer(ranges=False)]
    fetch(server, part)
    assert part.read_bytes() == CONTENT and len(server.requests) == 2


def test_a_server_without_ranges_that_always_cuts_is_given_up(server, part):
    server.answers = [Answer(cut_after=HALF, ranges=False)]
    with pytest.raises(DownloadError, match="ended after 128,000 of 256,000 bytes; given up"):
        fetch(server, part)
    assert len(server.requests) == transfer.TRIES


def test_without_an_etag_nothing_is_continued(server, part):
    server.answers = [Answer(cut_after=HALF, etag=None), Answer(etag=None)]
    fetch(server, part)
    assert part.read_bytes() == CONTENT and server.ranges() == ["", ""]


def test_a_weak_etag_is_none(server, part):
    server.answers = [Answer(cut_after=HALF, etag='W/"first"'), Answer(etag='W/"first"')]
    fetch(server, part)
    assert part.read_bytes() == CONTENT and server.ranges() == ["", ""]


CHANGED = {
    "new etag": Answer(etag='"second"', content=CONTENT[::-1]),
    "new length": Answer(content=CONTENT[::-1] + b"more"),
    "fewer bytes than are here": Answer(content=CONTENT[:HALF]),
    "another range": Answer(content_range=f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}"),
    "a range that is none": Answer(content_range="bytes"),
}


@pytest.mark.parametrize("answer", CHANGED.values(), ids=CHANGED.keys())
def test_a_file_that_changed_meanwhile_is_fetched_anew(answer, server, part):
    whole = Answer(content=answer.content, etag=answer.etag)
    server.answers = [Answer(cut_after=HALF), answer, whole]
    fetch(server, part)
    assert part.read_bytes() == (answer.content or CONTENT)


def test_a_part_of_another_address_is_not_continued(server, part):
    server.answers = [Answer(cut_after=HALF), Answer(status=404), Answer()]
    with pytest.raises(DownloadError):
        fetch(server, part)
    fetch(server, part, path="/other.pth")
    assert part.read_bytes() == CONTENT and server.ranges()[-1] == ""


def test_a_part_that_nothing_is_known_of_is_not_continued(server, part):
    part.write_bytes(b"?" * 100)
    part.with_name(part.name + ".json").write_text("{")
    fetch(server, part)
    assert part.read_bytes() == CONTENT and server.ranges() == [""]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_failure_is_tried_again(status, server, part):
    server.answers = [Answer(status=status), Answer(status=status), Answer()]
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_a_lasting_500_is_given_up(server, part):
    server.answers = [Answer(status=500)]
    with pytest.raises(DownloadError, match="500 Internal Server Error; given up after 4 tries"):
        fetch(server, part)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_not_tried_again(status, server, part):
    server.answers = [Answer(status=status)]
    with pytest.raises(DownloadError, match=f"the server answers {status}"):
        fetch(server, part)
    assert len(server.requests) == 1 and not part.exists()


def test_a_length_that_is_too_long(server, part):
    server.answers = [Answer(extra_length=100)]
    with pytest.raises(DownloadError, match="given up after 4 tries"):
        fetch(server, part)


def test_a_length_that_is_too_short_is_believed(server, part):
    """What is missing then shows in size and checksum: see test_download."""
    server.answers = [Answer(extra_length=-100)]
    fetch(server, part)
    assert part.read_bytes() == CONTENT[:-100]


def test_a_file_that_is_too_big_is_not_begun(server, part):
    with pytest.raises(DownloadError, match="has 256,000 bytes, more than 1,000"):
        fetch(server, part, limit=1000)
    assert not part.exists()


def test_a_file_that_turns_out_too_big_is_stopped(server, part):
    server.answers = [Answer(extra_length=None)]
    with pytest.raises(DownloadError, match="sends more than 70,000 bytes"):
        fetch(server, part, limit=70_000)
    assert part.stat().st_size <= 70_000


def test_no_room(server, part, monkeypatch):
    usage = type(transfer.shutil.disk_usage(part.parent))(10**9, 10**9, 5)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="has 5 left: make room"):
        fetch(server, part)


def test_a_redirect_is_followed(server, part):
    server.answers = [Answer(status=302, location="/elsewhere.pth"), Answer()]
    fetch(server, part)
    assert part.read_bytes() == CONTENT
    assert [path for path, _ in server.requests] == ["/weights.pth", "/elsewhere.pth"]


def test_a_cut_behind_a_redirect_goes_on(server, part):
    away = Answer(status=302, location="/elsewhere.pth")
    server.answers = [away, Answer(cut_after=HALF), away, Answer()]
    fetch(server, part)
    assert part.read_bytes() == CONTENT and server.ranges()[-1] == f"bytes={HALF}-"


def test_a_loop_of_redirects_ends(server, part):
    server.answers = [Answer(status=302, location="/weights.pth")]
    with pytest.raises(DownloadError, match="infinite loop"):
        fetch(server, part)
    assert len(server.requests) < 20


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,a"])
def test_a_redirect_out_of_the_web_is_not_followed(location, server, part):
    server.answers = [Answer(status=302, location=location)]
    with pytest.raises(DownloadError, match="not (allowed|followed)"):
        fetch(server, part)
    assert not part.exists()


def test_https_is_not_left_for_http():
    secure = urllib.request.Request("https://example.org/a")
    follow = transfer._Redirects().redirect_request
    with pytest.raises(DownloadError, match="sends on to http://example.org/b"):
        follow(secure, None, 302, "Found", {}, "http://example.org/b")
    assert follow(secure, None, 302, "Found", {}, "https://example.org/b") is not None
    plain = urllib.request.Request("http://example.org/a")
    assert follow(plain, None, 302, "Found", {}, "https://example.org/b") is not None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "weights.pth"])
def test_an_address_that_is_not_of_the_web(url, part):
    with pytest.raises(DownloadError, match="no http or https address"):
        get(url, part, 10, lambda done, total: None)


def test_a_slow_server_is_waited_for(server, part):
    server.answers = [Answer(pause=0.02)]
    fetch(server, part)
    assert part.read_bytes() == CONTENT


def test_a_server_that_falls_silent_is_asked_again(server, part, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    server.answers = [Answer(pause=1.0), Answer()]
    fetch(server, part)
    assert part.read_bytes() == CONTENT and len(server.requests) == 2


def test_nobody_there(part, monkeypatch):
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    monkeypatch.setenv("no_proxy", "*")
    with serving(b"") as gone:
        url = gone.address
    with pytest.raises(DownloadError, match="refused; given up after 4 tries"):
        get(url + "/a.pth", part, 10, lambda done, total: None)


def test_no_network_is_said_at_once(part, monkeypatch):
    def unresolved(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: pytest.fail("waited"))
    with pytest.raises(DownloadError, match=r"nowhere\.invalid/a cannot be reached: .*resolution"):
        get("http://nowhere.invalid/a", part, 10, lambda done, total: None)


def test_the_proxy_of_the_environment_is_used(server, part, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.address)
    get("http://nowhere.invalid/a.pth", part, 10**6, lambda done, total: None)
    assert part.read_bytes() == CONTENT
    assert server.requests[0][0] == "http://nowhere.invalid/a.pth"
