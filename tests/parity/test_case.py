"""Weights drawn from a seed, and answers kept as samples."""

import json

import numpy as np
import pytest

from tests.parity.case import Case, cases_below, draw, ellipses
from tests.parity.rows import Row, relative, relative_row
from tests.parity.settings import CaseError


@pytest.fixture
def folder(tmp_path):
    """A case of two parameters and one answer."""
    parameters = {"a.weight": [[2, 3], "normal", 0.5], "b": [[4], "uniform", [0.5, 1.5]]}
    drawn = [draw(name, *how, seed=7) for name, how in parameters.items()]
    spec = {"seed": 7, "parameters": parameters, "photos": ["astronaut"]}
    spec["abs_sum"] = float(sum(np.abs(array).sum() for array in drawn))
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "state.json").write_text(json.dumps(spec))
    np.savez(
        tmp_path / "one" / "expected.npz",
        **{"feature/p2/shape": [2, 3], "feature/p2/index": [0, 4], "feature/p2/value": [1.0, 2.0]},
        plain=np.ones(2),
    )
    return tmp_path / "one"


def test_a_parameter_depends_on_the_seed_and_its_own_name():
    first = draw("a", [100], "normal", 2.0, seed=1)
    assert first.dtype == np.float32 and first.std() == pytest.approx(2, rel=0.3)
    assert (first == draw("a", [100], "normal", 2.0, seed=1)).all()
    assert (first != draw("b", [100], "normal", 2.0, seed=1)).all()
    assert (first != draw("a", [100], "normal", 2.0, seed=2)).all()
    uniform = draw("a", [100], "uniform", [3, 4], seed=1)
    assert uniform.min() >= 3 and uniform.max() <= 4
    assert draw("a", [2], "constant", [5, 6], seed=1).tolist() == [5, 6]
    with pytest.raises(CaseError, match="got 'cauchy'"):
        draw("a", [2], "cauchy", 1.0, seed=1)


def test_the_weights_of_a_case(folder):
    weights = Case(folder).weights()
    assert {name: array.shape for name, array in weights.items()} == {"a.weight": (2, 3), "b": (4,)}


def test_weights_of_another_stream_are_refused(folder):
    spec = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps({**spec, "abs_sum": 1.0}))
    with pytest.raises(CaseError, match="draws another stream"):
        Case(folder).weights()


def test_photographs_and_seeds(folder):
    case = Case(folder)
    assert case.photos()[0].shape == (512, 512, 3) and case.photos()[0].dtype == np.uint8
    assert case.truth_seeds() == [70]


def test_answers(folder):
    case = Case(folder)
    assert case.names("feature/") == ["p2"] and "feature/p2" in case and "plain" in case
    sample = case.sample("feature/p2")
    assert relative(np.float32([[1, 0, 0], [0, 2, 0]]), sample) == 0
    assert relative(np.float32([[1, 0, 0], [0, 3, 0]]), sample) == pytest.approx(1 / 5**0.5)
    hidden = np.ma.array([[1, 0, 0], [0, 9, 0]], mask=[[0, 0, 0], [0, 1, 0]])
    assert relative(hidden, sample) == 0
    row = relative_row("features", "P2", np.zeros((3, 2)), sample, 1e-5)
    assert not row.ok and row.note == "shape (3, 2), theirs (2, 3)"


def test_a_distance_that_is_no_number_is_no_success():
    assert not Row("box", "deltas", float("nan"), 1.0).ok
    assert Row("box", "deltas", 9.0, None).ok


def test_cases_below_a_folder(folder):
    (folder.parent / "ops").mkdir()
    assert [case.name for case in cases_below(folder.parent)] == ["one"]
    with pytest.raises(CaseError, match="no case: it has no state.json"):
        Case(folder.parent / "ops").spec  # noqa: B018


def test_ellipses_fill_their_boxes():
    boxes, labels, masks = ellipses(60, 90, seed=3, num_classes=5)
    assert boxes.shape == (5, 4) and labels.min() >= 1 and labels.max() <= 4
    for (left, top, right, bottom), mask in zip(boxes, masks, strict=True):
        assert mask.sum() == pytest.approx(np.pi / 4 * (right - left) * (bottom - top), rel=0.1)
