"""Which versions fit, from the metadata of what is installed."""

import configparser
import re

import pytest

from kmaskrcnn import versions
from kmaskrcnn.versions import (
    FITS,
    MISSING,
    NEWER,
    OPTIONAL,
    PYTHON,
    REQUIREMENTS,
    TOO_OLD,
    UNKNOWN,
)
from tests.fake_packages import pretend
from tests.floors import ROOT
from tests.test_packaging import EXTRAS

BY_NAME = {row.name: row for row in REQUIREMENTS}
TENSORFLOW = BY_NAME["tensorflow"]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT.parent / "setup.cfg")


def test_the_table_is_what_pip_is_told():
    wanted = SETUP["options"]["install_requires"].split()
    assert wanted == [f"{row.name}>={row.lowest}" for row in REQUIREMENTS]
    assert SETUP["options"]["python_requires"] == f">={PYTHON.lowest}"
    classified = re.findall(r":: (3\.\d+)", SETUP["metadata"]["classifiers"])
    assert (classified[0], classified[-1]) == (PYTHON.lowest, PYTHON.newest)


def test_the_lowest_versions_are_what_is_tested():
    lines = (ROOT.parent / "tools" / "lowest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    rows = {row.name: row for row in (*REQUIREMENTS, *OPTIONAL)}
    assert list(pins) == list(rows)
    for name, version in pins.items():
        lowest = versions.parse(rows[name].lowest)
        assert versions.parse(version)[: len(lowest)] == lowest, f"{name}=={version}"


def test_what_is_installed_on_request_is_an_extra_of_its_name():
    assert [row.name for row in OPTIONAL] == list(EXTRAS)
    for row in OPTIONAL:
        wanted = SETUP["options.extras_require"][row.name].split()
        assert wanted == [f"{row.name}>={row.lowest}"]


def test_the_documents_name_the_same_versions():
    rows = (ROOT.parent / "docs" / "dependencies.md").read_text()
    for row in REQUIREMENTS:
        assert f"| {row.name} ≥ {row.lowest} |" in rows
    readme = (ROOT.parent / "README.md").read_text()
    for row in (PYTHON, TENSORFLOW, BY_NAME["keras"]):
        name = {"tensorflow": "TensorFlow", "keras": "Keras"}.get(row.name, row.name)
        assert f"{name} {row.supported}" in readme


@pytest.mark.parametrize(
    "version, verdict",
    [
        ("2.17.1", TOO_OLD),
        ("2.9", TOO_OLD),
        ("1.15.0", TOO_OLD),
        ("2", TOO_OLD),
        ("2.18", FITS),
        ("2.18.0rc1", FITS),
        ("2.21.3", FITS),
        ("2.21.0+nv25.2", FITS),
        ("2.22.0.dev20260101", NEWER),
        ("3.0", NEWER),
        ("v2.20.0", FITS),
        ("unreadable", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_how_a_version_fits(version, verdict):
    assert versions.judge(TENSORFLOW, version) == verdict


def test_three_numbers_and_no_newest():
    pycocotools = BY_NAME["pycocotools"]
    verdicts = [versions.judge(pycocotools, text) for text in ("2.0", "2.0.7", "2.0.8", "9")]
    assert verdicts == [TOO_OLD, TOO_OLD, FITS, FITS]


@pytest.fixture
def only(monkeypatch):
    """Nothing is installed but what the test says."""

    def say(**there):
        there = {name.replace("_", "-"): version for name, version in there.items()}
        monkeypatch.setattr(versions, "installed", there.get)
        monkeypatch.setattr(versions.importlib.util, "find_spec", lambda module: None)

    return say


def test_metadata_is_read(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(pretend(tmp_path, h5py="1.2.3"))
    found = versions.look(BY_NAME["h5py"])
    assert (found.name, found.version, found.verdict) == ("h5py", "1.2.3", TOO_OLD)
    assert versions.installed("there-is-no-such-package") is None


def test_a_variant_is_the_package_too(only):
    only(tensorflow_cpu="2.20.0", opencv_python="4.5.1", opencv_contrib_python="4.10.0")
    assert versions.look(TENSORFLOW).sentence() == (
        "tensorflow-cpu 2.20.0 found, 2.18 to 2.21 supported"
    )
    opencv = versions.look(BY_NAME["opencv-python-headless"])
    assert (opencv.name, opencv.verdict) == ("opencv-python", TOO_OLD)
    assert opencv.beside == ("opencv-contrib-python 4.10.0",)
    only(tensorflow="2.18.0", tensorflow_intel="2.18.0")  # how Windows had it
    assert versions.look(TENSORFLOW).beside == ()
    assert versions.pip_line([opencv]) == ('python -m pip install --upgrade "opencv-python>=4.9"')


def test_a_variant_that_is_no_longer_made(only):
    only(tensorflow_macos="2.15.1")
    assert versions.pip_line([versions.look(TENSORFLOW)]) == (
        "python -m pip uninstall -y tensorflow-macos && "
        'python -m pip install --upgrade "tensorflow>=2.18"'
    )


def test_missing_and_without_metadata(only, monkeypatch):
    only()
    assert versions.look(TENSORFLOW).verdict == MISSING
    monkeypatch.setattr(versions.importlib.util, "find_spec", lambda module: "a spec")
    found = versions.look(TENSORFLOW)
    assert found.verdict == UNKNOWN and not found.broken


def test_what_does_not_fit_is_one_sentence(only):
    only(tensorflow="2.15.0", keras="2.15.0", numpy="1.26.4")
    looked = [versions.look(row) for row in REQUIREMENTS if row.core]
    assert versions.misfit(looked) == (
        "kmaskrcnn does not fit what is installed: tensorflow 2.15.0 found, 2.18 to 2.21 "
        "supported; keras 2.15.0 found, 3.6 to 3.15 supported. Run: python -m pip install "
        '--upgrade "tensorflow>=2.18" "keras>=3.6"'
    )
    assert versions.misfit(looked[2:]) == ""


def test_an_older_python(monkeypatch):
    monkeypatch.setattr(versions.sys, "version_info", (3, 9, 18, "final", 0))
    text = versions.misfit([versions.look_at_python()])
    assert "Python 3.9.18 found, 3.10 to 3.13 supported" in text
    assert "Make an environment" in text and "pip" not in text
