"""A model's file says what it is without a network being built, and a broken one is named."""

import json
import zipfile

import keras
import pytest

from kmaskrcnn import MaskRCNN
from kmaskrcnn.model_file import read_header


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    model = MaskRCNN.from_preset("tiny", ["cat", "dog"], nms_iou=0.3)
    model.freeze("C3")
    model.compile(keras.optimizers.SGD())
    model.save(path)
    return path


def rewritten(path, change):
    """A copy of a model's file whose config.json went through a function."""
    copy = path.with_name("copy.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == "config.json" else content)
    return copy


def test_what_the_file_says(model_file):
    header = read_header(model_file)
    assert header.class_names == ("cat", "dog") and header.config.nms_iou == 0.3
    assert header.frozen == ("stem", "C2", "C3") and header.optimizer == "SGD"
    assert header.keras == keras.__version__ and "@" in header.saved


def test_files_of_other_models(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "s.keras")
    with pytest.raises(ValueError, match=r"s\.keras: holds a Sequential, expected a MaskRCNN"):
        read_header(tmp_path / "s.keras")


def no_class_names(content):
    whole = json.loads(content)
    del whole["config"]["class_names"]
    return json.dumps(whole)


def unknown_field(content):
    whole = json.loads(content)
    whole["config"]["config"]["tomorrow"] = 1
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda content: content[:99], "not a whole .keras file"),
        (lambda content: b"[]", "not a whole .keras file"),
        (no_class_names, "its settings cannot be used: 'class_names'"),
        (unknown_field, "tomorrow"),
    ],
)
def test_settings_that_cannot_be_used(model_file, change, expected):
    with pytest.raises(ValueError, match=expected) as caught:
        read_header(rewritten(model_file, change))
    assert "copy.keras" in str(caught.value)


def test_a_file_that_is_cut_short(model_file):
    cut = model_file.with_name("cut.keras")
    cut.write_bytes(model_file.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"cut\.keras: not a whole \.keras file"):
        read_header(cut)
