"""Checkpoints of another architecture or other classes: what fits is said by name, and only what
was asked to starts anew.
"""

import keras
import numpy as np
import pytest

from kmaskrcnn import weights
from kmaskrcnn.model import MaskRCNN

CLASSES = ["circle", "square", "triangle"]


def tiny(class_names=CLASSES, **options):
    return MaskRCNN.from_preset("tiny", class_names, **options)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(7)
    return tiny()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """One model in both of Keras' kinds of file."""
    folder = tmp_path_factory.mktemp("checkpoints")
    model.save(folder / "model.keras")
    model.save_weights(folder / "model.weights.h5")
    return folder


FILES = pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])


def values(model):
    return {name: variable.numpy() for name, variable in model.parameters.items()}


def assert_taken(model, source, but=()):
    """Everything is the source's but what is named, which is not."""
    ours, theirs = values(model), values(source)
    equal = {name for name in ours if np.array_equal(ours[name], theirs.get(name))}
    drawn = {name for name in set(ours) - equal if not name.startswith(tuple(but) or ("-",))}
    assert drawn == set()
    for part in but:
        assert any(name.startswith(part) for name in set(ours) - equal), part


@FILES
def test_the_same_network_takes_all(model, folder, file):
    again = tiny(weights=folder / file)
    assert_taken(again, model)
    assert again.load_report.missing == again.load_report.unused == ()
    other = tiny()
    other.load_weights(folder / file)
    assert_taken(other, model)


@FILES
def test_another_architecture_is_told_by_part_and_name(folder, file):
    wider = tiny(fpn_channels=32)
    before = values(wider)
    message = (
        r"(?s)model\..* cannot be loaded into this network\."
        r".*fits: backbone 36 of 36, fpn 0 of 16, rpn_head 5 of 6, box_head 7 of 8"
        r".*fpn/lateral_C2/kernel has shape \(1, 1, 16, 16\), expected \(1, 1, 16, 32\)"
    )
    for action in (
        lambda: wider.load_weights(folder / file),
        lambda: tiny(fpn_channels=32, weights=folder / file),
    ):
        with pytest.raises(ValueError, match=message):
            action()
    for name, value in values(wider).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_a_model_file_tells_how_its_settings_differ(folder):
    with pytest.raises(ValueError, match=r"(?s)fpn_channels: 16 there, 32 here.*Take the preset"):
        tiny(fpn_channels=32, weights=folder / "model.keras")
    with pytest.raises(ValueError, match=r"(?s)backbone: resnet_tiny there, resnet_small here"):
        MaskRCNN.from_preset("laptop", CLASSES, weights=folder / "model.keras")


LEFT_OUT = {
    "other anchors": ({"aspect_ratios": (1.0,)}, "rpn_head"),
    "another mask head": ({"mask_head_channels": 8}, "mask_head"),
    "no masks": ({"with_masks": False}, "mask_head"),
}


@pytest.mark.parametrize(("changes", "part"), LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_part_starts_anew_only_when_asked_to(model, folder, changes, part):
    path = folder / "model.keras"
    with pytest.raises(ValueError, match=rf"(?s)cannot be loaded.*leave_out=\['{part}'\]"):
        tiny(weights=path, **changes)
    found = tiny(weights=path, leave_out=[part], **changes)
    assert_taken(found, model, but=[part] if changes.get("with_masks", True) else [])
    assert f"left out as asked, starting anew: {part}" in str(found.load_report)


@FILES
def test_other_classes_start_anew_when_named(model, folder, file):
    found = tiny(["square", "dog"], weights=folder / file)
    ours, theirs = values(found), values(model)
    heads = ("box_head/logits", "box_head/deltas", "mask_head/logits")
    assert_taken(found, model, but=heads)
    if file == "model.keras":  # the file with weights alone has no names of classes
        np.testing.assert_array_equal(
            ours["box_head/logits/bias"][[0, 2]], theirs["box_head/logits/bias"][[1, 3]]
        )
        assert "kept from the checkpoint: square" in str(found.load_report)
    assert "start anew: " in str(found.load_report) and "dog" in str(found.load_report)


def test_load_weights_never_mixes_classes_up(folder):
    with pytest.raises(ValueError, match=r"(?s)in another order.*triangle +circle.*from_preset"):
        tiny(CLASSES[::-1]).load_weights(folder / "model.keras")
    with pytest.raises(ValueError, match=r"(?s)dog +circle +← unknown"):
        tiny(["dog"]).load_weights(folder / "model.keras")
    with pytest.raises(ValueError, match=r"box_head/logits/bias has shape \(4,\), expected \(2,\)"):
        tiny(["dog"]).load_weights(folder / "model.weights.h5")


def test_keras_may_still_skip_what_does_not_fit(model, folder):
    other = tiny(["dog"])
    with pytest.warns(UserWarning, match="could not be loaded"):
        other.load_weights(folder / "model.weights.h5", skip_mismatch=True)
    assert_taken(other, model, but=("box_head/logits", "box_head/deltas", "mask_head/logits"))


@pytest.mark.parametrize(
    "changes", [{"keypoint_names": ("nose", "tail")}, {"backbone": "MobileNet"}, {"norm": "batch"}]
)
def test_weights_that_keras_saved_are_read_by_name(tmp_path, changes):
    source = tiny(**changes)
    source.save_weights(tmp_path / "source.weights.h5")
    arrays = weights.from_keras_file(weights.read_arrays(tmp_path / "source.weights.h5"))
    named = weights.resolved(arrays, source.parameters)
    assert set(named) == set(source.parameters)
    for name, array in values(source).items():
        np.testing.assert_array_equal(named[name], array, err_msg=name)


def test_what_is_no_checkpoint(folder):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(folder / "other.keras")
    with pytest.raises(ValueError, match=r"other\.keras: not the weights of a MaskRCNN"):
        tiny().load_weights(folder / "other.keras")
    with pytest.raises(ValueError, match=r"(?s)other\.keras cannot be loaded.*no name fits"):
        tiny(weights=folder / "other.keras")
    with pytest.raises(FileNotFoundError, match="'imagenett': there is no such file, and no weigh"):
        tiny(weights="imagenett")
    with pytest.raises(ValueError, match="leave_out='head': there is no such part; there are back"):
        tiny(weights=folder / "model.keras", leave_out="head")
    with pytest.raises(ValueError, match="there are no weights of a detector to take"):
        tiny(leave_out=["mask_head"])
