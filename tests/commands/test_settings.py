"""Fields of the config as a person types them."""

from pathlib import Path

import pytest

from kmaskrcnn.commands.settings import checked_field, parse_setting
from kmaskrcnn.commands.train import Training


def test_settings_that_are_not_given_are_the_presets():
    assert Training("a", Path("o"), preset="resnet50_fpn").changes() == {}


def test_the_size_of_images_and_rois():
    job = Training("a", Path("o"), preset="resnet50_fpn", image_size=400, rois_per_image=64)
    assert job.changes() == {"min_size": 400, "max_size": 666, "rois_per_image": 64}
    job = Training("a", Path("o"), preset="tiny", image_size=400, fields={"max_size": 500})
    assert job.changes() == {"min_size": 400, "max_size": 500}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nms_iou=0.3", ("nms_iou", 0.3)),
        ("anchor_sizes=((8,),(16,))", ("anchor_sizes", ((8,), (16,)))),
        ("cascade_ious=[0.5, 0.6]", ("cascade_ious", (0.5, 0.6))),
        ("norm=group", ("norm", "group")),
        ("with_masks=false", ("with_masks", False)),
        ("delta_clamp=None", ("delta_clamp", None)),
        ("backbone=none", ("backbone", "none")),  # a name, for a field that is one
    ],
)
def test_any_field_can_be_set(text, expected):
    assert parse_setting(text) == expected


def test_none_from_a_file():
    assert checked_field("delta_clamp", "none") == ("delta_clamp", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nms_iou", "NAME=VALUE"),
        ("nms=1", "did you mean .*nms_iou"),
        ("nms_iou=much", "nms_iou: expected a number, but it is 'much'"),
        ("min_size=none", "min_size: expected a whole number, but it is 'none'"),
        ("with_masks=1", "with_masks: expected true or false, but it is 1"),
    ],
)
def test_a_setting_that_is_none_is_explained(text, expected):
    with pytest.raises(ValueError, match=expected):
        parse_setting(text)
