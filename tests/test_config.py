"""The config and the presets: every field off its default survives, bad values are named."""

import dataclasses
import json

import pytest

from kmaskrcnn import presets
from kmaskrcnn.config import CHOICES, MaskRCNNConfig


def off_default(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 2 if isinstance(value, int) else value / 2 + 0.1
    return tuple(off_default(item) for item in value) if isinstance(value, tuple) else value


def test_every_field_round_trips_off_its_default():
    changed = {f.name: off_default(f.default) for f in dataclasses.fields(MaskRCNNConfig)}
    changed |= {name: choices[-1] for name, choices in CHOICES.items()} | {
        "box_loss_over": "positives",
        "backbone": "resnet101",
        "freeze_at": "C3",
        "backbone_taps": (("C5", "conv_pw_12_relu"),),
        "learning_rate": 0.1,
        "norm_epsilon": 1e-3,
        "delta_clamp": None,
        "anchor_sizes": ((32, 64),),
        "aspect_ratios": (2.0,),
        "keypoint_names": ("nose", "tail"),
        "keypoint_skeleton": ((0, 1),),
        "cascade_ious": (0.5, 0.6),
    }
    default = MaskRCNNConfig()
    assert [name for name, value in changed.items() if getattr(default, name) == value] == []
    config = MaskRCNNConfig(**changed)
    again = MaskRCNNConfig(**json.loads(json.dumps(config.to_dict())))
    for name, value in changed.items():
        assert getattr(again, name) == value, name
    assert again == config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_size", 0),
        ("score_threshold", 1.5),
        ("norm", "layer"),
        ("mask_size", 27),
        ("anchor_sizes", ((32,), (64,))),
        ("sampling", "last"),
        ("max_size", 100),
    ],
)
def test_a_value_out_of_range_is_named(field, value):
    with pytest.raises(ValueError, match=field):
        MaskRCNNConfig(**{field: value})


def test_a_misspelt_field_gets_a_suggestion():
    with pytest.raises(TypeError, match="rois_per_image"):
        presets.preset("tiny", roi_per_image=3)


def test_a_misspelt_preset_gets_a_suggestion():
    with pytest.raises(ValueError, match="resnet50_fpn"):
        presets.preset("resnet_50_fpn")


@pytest.mark.parametrize("name", presets.preset_names())
def test_presets_are_configs_with_a_line_each(name):
    assert isinstance(presets.preset(name), MaskRCNNConfig)
    assert presets.describe(name)
