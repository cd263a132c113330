"""What the verbs print and write alike."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from kmaskrcnn.commands.output import plain, print_figures, tell, write_json
from kmaskrcnn.progress import console


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "new" / "m.json", {"mask/AP": math.nan, "box/AP": 0.5})
    assert json.loads((tmp_path / "new" / "m.json").read_text()) == {"mask/AP": None, "box/AP": 0.5}


def test_json_of_what_the_verbs_hold():
    value = {1: (Path("a"), np.float32(0.5)), "n": np.int64(3), "deep": [{"x": math.inf}]}
    assert plain(value) == {"1": ["a", 0.5], "n": 3, "deep": [{"x": None}]}


def figures():
    print("a library speaks")
    console.print("a bar moves")
    return {"mask/AP": 0.25, "box/AP": 0.5}


def test_json_stands_alone_on_standard_output(capsys):
    job = SimpleNamespace(run=figures, show=print_figures)
    assert tell(job, True) == {"mask/AP": 0.25, "box/AP": 0.5}
    out, err = capsys.readouterr()
    assert json.loads(out) == {"mask/AP": 0.25, "box/AP": 0.5}
    assert "a library speaks" in err and "a bar moves" in err


def test_a_person_reads_a_table(capsys):
    tell(SimpleNamespace(run=figures, show=print_figures), False)
    out, err = capsys.readouterr()
    assert "a bar moves" in out and "0.250" in out and "{" not in out and not err
