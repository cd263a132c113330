"""Damaged datasets of every format are refused with a sentence, or loaded; never anything else.

Some dozens a format, always the same; ``python -m benchmarks.fuzz_readers`` reads thousands.
"""

import random
import shutil

import pytest

from kmaskrcnn.data import load
from tests.fuzzing.mutants import mutate
from tests.fuzzing.seeds import SEEDS
from tests.fuzzing.trials import Outcome, Reader, reader, trials

MUTANTS = 25


@pytest.fixture(scope="module")
def process():
    with reader() as one:
        yield one


@pytest.mark.parametrize("name", SEEDS)
def test_mutants(process, name, monkeypatch):
    monkeypatch.setattr("tests.fuzzing.mutants.BOMBS", [3000])  # quicker
    sound, *outcomes = trials(process, name, range(MUTANTS))
    assert sound.kind == "loaded", sound.text
    assert [outcome for outcome in outcomes if not outcome.is_sound] == []
    assert {outcome.kind for outcome in outcomes} == {"loaded", "error"}


@pytest.mark.parametrize("name", SEEDS)
def test_each_format_is_read_by_its_own_reader(tmp_path, name):
    described = load(SEEDS[name](tmp_path / "data")).description
    assert described.startswith(
        READERS.get(name, name.split(",")[0].removesuffix(" polygons").removesuffix(" XML"))
    ), described


READERS = {
    "COCO": "COCO instances",
    "images of other kinds": "COCO instances",
    "COCO keypoints": "COCO instances",
    "LVIS": ("LVIS", "COCO instances"),
    "VIA 1": "VIA",
    "VIA 2": "VIA",
    "PNG an object": "one PNG per instance",
    "PNG an object, named": "one PNG per instance",
    "PNG of numbers": "instance-id PNGs",
}


def test_a_mutant_is_the_same_for_the_same_seed(tmp_path):
    SEEDS["COCO"](tmp_path / "sound")
    found = []
    for number in range(2):
        copy = tmp_path / str(number)
        shutil.copytree(tmp_path / "sound", copy)
        damage = mutate(copy, random.Random(5))
        found.append((damage, [p.read_bytes() for p in sorted(copy.rglob("*")) if p.is_file()]))
    assert found[0] == found[1]
    assert found[0][1] != [p.read_bytes() for p in sorted((tmp_path / "sound").rglob("*.*"))]


def test_what_must_not_be_is_noticed(tmp_path, monkeypatch):
    """A hang, a crash and an exception of another kind, in place of a reader."""
    monkeypatch.setattr("tests.fuzzing.trials.SECONDS", 1)
    for code, kind in (
        ("import time; time.sleep(60)", "hang"),
        ("import os; os.abort()", "crash"),
        ('print(\'["KeyError", "a trace"]\', flush=True)', "KeyError"),
    ):
        script = f"print('ready', flush=True); input(); {code}; input()"
        monkeypatch.setattr("tests.fuzzing.trials.COMMAND", ("-c", script))
        one = Reader()
        outcome = one.read(tmp_path, False)
        one.close()
        assert outcome.kind == kind and not outcome.is_sound
    assert Outcome("error", "").is_sound
