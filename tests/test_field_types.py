"""A value is of its field's type, or what was expected is said in words."""

import numpy as np
import pytest

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.field_types import type_problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_size", 800),
        ("min_size", np.int64(800)),
        ("nms_iou", 1),
        ("nms_iou", np.float32(0.5)),
        ("norm_epsilon", None),
        ("anchor_sizes", [[8], [16.0]]),
        ("backbone_taps", (("C5", "layer"),)),
        ("cascade_ious", ()),
    ],
)
def test_values_that_fit(name, value):
    assert type_problem(MaskRCNNConfig, name, value) == ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("min_size", "800", "a whole number, but it is '800'"),
        ("min_size", 800.5, "a whole number, but it is 800.5"),
        ("min_size", True, "a whole number, but it is True"),
        ("nms_iou", False, "a number, but it is False"),
        ("with_masks", 1, "true or false, but it is 1"),
        ("norm", None, "text, but it is None"),
        ("norm_epsilon", "small", "a number or none, but it is 'small'"),
        ("anchor_sizes", (8, 16), "a list, each a list, each a number, but it is (8, 16)"),
        ("box_weights", (1, 1), "a list of 4, each a number, but it is (1, 1)"),
    ],
)
def test_values_that_do_not(name, value, expected):
    assert type_problem(MaskRCNNConfig, name, value) == expected
    with pytest.raises(ValueError, match=f"MaskRCNNConfig.{name} must be "):
        MaskRCNNConfig(**{name: value})
