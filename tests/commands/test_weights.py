"""Published weights: listed, brought here, and what is said when they cannot be had."""

import json
import sys

import pytest

from kmaskrcnn.progress import console
from kmaskrcnn.weights.hub.published import PublishedWeights, rows
from tests.terminal import run
from tests.weights.server import serving


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A server on this machine that has the only published weights there are."""
    monkeypatch.setenv("KMASKRCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("KMASKRCNN_OFFLINE", raising=False)
    with serving(b"weights") as server:
        url = f"{server.address}/net.pth"
        row = PublishedWeights("family/net", "city", url, "BSD", "here", size=7)
        monkeypatch.setattr(sys.modules["kmaskrcnn.weights.hub.published"], "_ROWS", (row,))
        yield server


def test_weights_are_listed_in_80_columns(monkeypatch):
    monkeypatch.setattr(console, "_width", 80)
    result = run("weights")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert all(len(line) <= 80 for line in lines[: len(rows()) + 1])
    for row, line in zip(rows(), lines[1:], strict=False):
        assert line.split()[:2] == [row.preset, row.name]
        assert all(f"{ap:.1f}" in line for ap in row.ap.values())
    assert "detectron2 CC-BY-SA-3.0" in result.output


def test_weights_as_json():
    found = json.loads(run("weights", "--json").stdout)
    assert len(found) == len(rows())
    assert found[0]["ap"] == {"box": 37.9, "mask": 34.6} and found[0]["sha256"] == "bf2d0c1e"
    assert found[0]["path"].endswith("weights/torchvision/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth")


def test_weights_are_downloaded(shop, tmp_path):
    path = tmp_path / "cache/weights/family/net.pth"
    assert run("weights").output.splitlines()[1].split()[-1] == "no"
    result = run("weights", "--download", "family/net")  # the only ones, whatever they are called
    assert result.exit_code == 0 and result.output.strip() == str(path)
    assert path.read_bytes() == b"weights"
    assert run("weights").output.splitlines()[1].split()[-1] == "yes"
    result = run("weights", "--download", "family/net:city", "--json")
    assert [row["path"] for row in json.loads(result.stdout)] == [str(path)]
    assert len(shop.requests) == 1


def test_a_download_on_a_terminal_has_a_bar(shop, monkeypatch):
    monkeypatch.setattr(console, "_force_terminal", True)
    result = run("weights", "--download", "family/net")
    assert result.exit_code == 0, result.output
    assert "net.pth" in result.output


def test_weights_that_cannot_be_had(shop, monkeypatch):
    result = run("weights", "--download", "family/net:village")
    assert result.exit_code == 2 and "there are: city" in result.output
    monkeypatch.setenv("KMASKRCNN_OFFLINE", "1")
    result = run("weights", "--download", "family/net")
    assert result.exit_code == 1 and f"{shop.address}/net.pth" in result.output
    assert shop.requests == []
