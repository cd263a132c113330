"""The size of the input: the shorter side's target, the longer one's limit, the canvas."""

import pytest

from kmaskrcnn.data import InputSize
from kmaskrcnn.data.geometry import Canvas


def test_the_shorter_side_has_a_target_and_the_longer_one_a_limit():
    size = InputSize(800, 1333)
    assert size.of((480, 640)) == (800, 1067) and size.of((300, 900)) == (444, 1333)
    assert size.of((480, 640), share=0.8) == (640, 853)
    assert InputSize(800, 1333, resize="torchvision").of((480, 640)) == (800, 1066)


def test_the_canvas_has_a_common_divisor():
    assert InputSize(64, 96).lay_out((64, 85)) == Canvas((64, 128), 0, 0)
    square = InputSize(64, 96, size_divisor=32, canvas="square")
    assert square.lay_out((64, 85)) == Canvas((96, 96), 16, 5)


@pytest.mark.parametrize("wrong", [{"resize": "bicubic"}, {"canvas": "round"}])
def test_unknown_names_are_refused_at_once(wrong):
    with pytest.raises(ValueError, match=f"got '{next(iter(wrong.values()))}'"):
        InputSize(64, 96, **wrong)
