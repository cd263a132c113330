import numpy as np
import pytest

from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.pickled_arrays import NumpyArray, NumpyDtype, Packed
from kmaskrcnn.weights.files.state_dicts import arrays_of


class Number(Packed):
    """An array that is one number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def array(self, limits, name):
        return np.array(self.number)


@pytest.fixture
def numbers_of(tmp_path):
    """What :func:`arrays_of` makes of a content, as plain numbers."""
    (tmp_path / "file").touch()
    limits = Limits(tmp_path / "file")
    return lambda content: {
        name: float(array) for name, array in arrays_of(content, limits).items()
    }


WEIGHTS = {"conv.weight": Number(1), "conv.bias": Number(2)}
NUMBERS = {"conv.weight": 1, "conv.bias": 2}
OTHERS = {"epoch": 3, "optimizer": {"state": {0: {"step": Number(7)}}, "groups": [Number(8)]}}


@pytest.mark.parametrize(
    "part", ["model", "state_dict", "model_state_dict", "model_state", "weights", "blobs", "net_g"]
)
def test_the_part_with_the_weights(numbers_of, part):
    assert numbers_of({**OTHERS, part: WEIGHTS}) == NUMBERS


def test_the_whole_is_the_weights(numbers_of):
    assert numbers_of({**WEIGHTS, "version": 2}) == NUMBERS


def test_parts_in_parts(numbers_of):
    assert numbers_of({"checkpoint": 1, "model": {"state_dict": WEIGHTS, "name": "x"}}) == NUMBERS


def test_the_model_comes_before_its_average(numbers_of):
    average = {name: Number(9) for name in WEIGHTS}
    assert numbers_of({"model_ema": average, "model": WEIGHTS}) == NUMBERS


def test_an_array_may_be_called_like_a_part(numbers_of):
    assert numbers_of({"weights": Number(1), "model": 3}) == {"weights": 1}


def test_several_parts_are_not_chosen_from(numbers_of):
    with pytest.raises(RefusedError, match="it has arrays in 'student', 'teacher': expected one"):
        numbers_of({"student": WEIGHTS, "teacher": WEIGHTS})


@pytest.mark.parametrize("content", [None, 3, [Number(1)], Number(1), {}, {"model": {"a": 1}}])
def test_no_arrays(numbers_of, content):
    assert numbers_of(content) == {}


def test_names_lose_the_wrapper_if_all_have_it(numbers_of):
    wrapped = {f"module.{name}": value for name, value in WEIGHTS.items()}
    assert numbers_of({"model": wrapped}) == NUMBERS
    assert numbers_of({**wrapped, "scale": Number(3)}) == {
        "module.conv.weight": 1,
        "module.conv.bias": 2,
        "scale": 3,
    }


def test_momentum_is_left_out_beside_its_array(numbers_of):
    kind = NumpyDtype("f4")
    array = NumpyArray((), kind, False, np.float32(5).tobytes())
    blobs = {"w": array, "w_momentum": array, "bn_momentum": array}
    assert numbers_of({"blobs": blobs}) == {"w": 5, "bn_momentum": 5}


def test_names_that_are_no_strings(numbers_of):
    with pytest.raises(RefusedError, match="one of its arrays is called 3, which is no string"):
        numbers_of({"model": {3: Number(1)}})
