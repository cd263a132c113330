"""The switches of augmentation: names, types, ranges, and the way through JSON."""

import dataclasses
import json
from pathlib import Path

import pytest

from kmaskrcnn.augmentation import NAMED, POLICIES, Augmentation

OFF_DEFAULTS = {
    "crop": (0.5, 0.9),
    "train_sizes": (0.8, 1.0),
    "scale": (0.1, 2.0),
    "pad": True,
    "canvas_size": (512, 640),
    "flip": 0.5,
    "vertical_flip": 0.25,
    "rotation": 10.0,
    "shear": 5.0,
    "translation": 0.1,
    "fill": (1, 2, 3),
    "mosaic": 0.5,
    "mosaic_middle": (0.4, 0.6),
    "copy_paste": 0.5,
    "paste_count": (0, 3),
    "paste_blend": 1.0,
    "min_visible": 0.2,
    "brightness": 0.1,
    "contrast": 0.2,
    "saturation": 0.3,
    "hue": 4.0,
    "color_share": 0.75,
}


def test_every_field_goes_through_json():
    """Set off its default, so that none can be forgotten."""
    augmentation = Augmentation(**OFF_DEFAULTS)
    assert augmentation.changes() == OFF_DEFAULTS
    assert set(OFF_DEFAULTS) == {field.name for field in dataclasses.fields(Augmentation)}
    assert Augmentation(**json.loads(json.dumps(augmentation.to_dict()))) == augmentation


def test_the_documentation_lists_every_switch_and_every_name():
    text = (Path(__file__).parent.parent / "docs" / "data.md").read_text()
    section = text[text.index("## Augmentation") : text.index("## Throughput")]
    missing = [name for name in (*OFF_DEFAULTS, *POLICIES) if f"`{name}`" not in section]
    assert missing == []


def test_names_are_joined():
    assert Augmentation.named("none") == Augmentation()
    assert Augmentation.named("flip + crop") == Augmentation(flip=0.5, crop=(0.6, 1.0))
    for name in POLICIES:
        assert Augmentation.named(name).changes() == NAMED[name]


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="'blur' is unknown; expected names among none, flip"):
        Augmentation.named("flip+blur")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flip", 1.5),
        ("flip", "often"),
        ("crop", (0.0, 1.0)),
        ("crop", (0.9, 0.8)),
        ("scale", (1.0,)),
        ("train_sizes", ()),
        ("canvas_size", (100,)),
        ("canvas_size", (0, 100)),
        ("rotation", -5.0),
        ("rotation", float("nan")),
        ("shear", 90.0),
        ("fill", (0, 0, 256)),
        ("mosaic", 2.0),
        ("mosaic_middle", (0.7, 0.3)),
        ("paste_count", (-1, 3)),
        ("paste_blend", -1.0),
        ("hue", 200.0),
    ],
)
def test_what_is_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=rf"Augmentation\.{name} must be"):
        Augmentation(**{name: value})


def test_an_unknown_field_lists_the_nearest():
    with pytest.raises(TypeError, match="no field 'rotate'; did you mean rotation"):
        Augmentation().replace(rotate=3.0)
