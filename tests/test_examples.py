"""The examples run as they stand, at small settings, and are short."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = {
    "train_shapes.py": "--preset tiny --images 8 --epochs 1 --out out",
    "own_dataset.py": "--preset tiny --images 4 --epochs 1",
}
SAYS = {"train_shapes.py": "mask AP", "own_dataset.py": "Detections("}
LONGEST = 80


def test_every_example_is_run_here():
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_an_example_is_short_and_says_how_to_run_it(name):
    text = (EXAMPLES / name).read_text()
    assert len(text.splitlines()) <= LONGEST
    assert f"python examples/{name}" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_an_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))  # also where nothing is installed
    command = [sys.executable, str(EXAMPLES / name), *SMALL[name].split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SAYS[name] in done.stdout
    if name == "train_shapes.py":
        assert {p.name for p in (tmp_path / "out").iterdir()} == {"model.keras", "found.png"}
