"""Fields of the config as a person types them."""

from pathlib import Path

import pytest

from kmaskrcnn.commands.settings import parse_setting
from kmaskrcnn.commands.train import Training


def test_settings_that_are_not_given_are_the_presets():
    job = Training("a", "b", Path("o"), preset="resnet50_fpn")
    assert job.changes() == {}
    changed = Training(
        "a", "b", Path("o"), preset="resnet50_fpn", image_size=400, rois_per_image=64
    )
    assert changed.changes() == {"min_size": 400, "max_size": 666, "rois_per_image": 64}


def test_any_field_can_be_set():
    settings = ["nms_iou=0.3", "anchor_sizes=((8,),(16,),(32,),(64,),(128,))", "norm=group"]
    job = Training("a", val="b", out=Path("c"), preset="tiny", settings=settings)
    assert job.changes() == {
        "nms_iou": 0.3,
        "anchor_sizes": ((8,), (16,), (32,), (64,), (128,)),
        "norm": "group",
    }


@pytest.mark.parametrize(("text", "expected"), [("nms_iou", "NAME=VALUE"), ("nms=1", "nms_iou")])
def test_a_setting_that_is_none_is_explained(text, expected):
    with pytest.raises(ValueError, match=expected):
        parse_setting(text)
