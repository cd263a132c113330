"""Models and weights tell what they are; a frozen copy predicts the same and is smaller."""

import json

import keras
import numpy as np
import pytest
import tomlkit

import kmaskrcnn
from kmaskrcnn import MaskRCNN, weights
from kmaskrcnn.presets import preset
from tests.terminal import run


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    model = MaskRCNN.from_preset("tiny", ["cat", "dog"], nms_iou=0.3, min_size=32)
    model.freeze("C2")
    model.compile(keras.optimizers.AdamW())
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return path


def test_a_model_tells_what_it_is(model_file):
    facts = json.loads(run("info", model_file, "--json").stdout)
    assert facts["class_names"] == ["cat", "dog"] and facts["preset"] == "tiny"
    assert facts["differs"] == {"nms_iou": 0.3, "min_size": 32}
    assert facts["config"]["max_size"] == 128 and facts["precision"] == "float32"
    assert facts["frozen"] == ["stem", "C2"] and facts["optimizer"] == "AdamW"
    model = kmaskrcnn.load(model_file)
    count = sum(part["trainable"] + part["frozen"] for part in facts["parts"].values())
    assert count == sum(v.numpy().size for v in model.parameters.values())
    learning = sum(v.numpy().size for v in model.trainable_variables)
    assert sum(part["trainable"] for part in facts["parts"].values()) == learning
    assert 0 < facts["parts"]["backbone"]["frozen"] and facts["parts"]["fpn"]["frozen"] == 0


def test_it_tells_a_person_too(model_file):
    output = run("info", model_file).output
    assert "classes    2: cat, dog" in output
    assert "nms_iou 0.3 (0.5)" in output and "stem, C2" in output and "together" in output


def test_its_network_as_toml(model_file, tmp_path):
    text = run("info", model_file, "--toml").stdout
    content = tomlkit.parse(text).unwrap()
    assert content == {"preset": "tiny", "model": {"nms_iou": 0.3, "min_size": 32}}
    same = preset(content["preset"], **content["model"])
    assert same == kmaskrcnn.load(model_file).config
    assert run("info", model_file, "--toml", "--json").exit_code == 2


@pytest.mark.parametrize("framework", ["torchvision", "detectron2"])
def test_weights_of_others(framework, tmp_path):
    stems = {"torchvision": "backbone.body.conv1", "detectron2": "backbone.bottom_up.stem.conv1"}
    body, logits = f"{stems[framework]}.weight", "roi_heads.box_predictor.cls_score.bias"
    arrays = {body: np.zeros((2, 3, 1, 1), np.float32), logits: np.zeros(81, np.float32)}
    path = weights.write_arrays(tmp_path / "w.safetensors", arrays)
    facts = json.loads(run("info", path, "--json").stdout)
    assert facts["framework"] == framework and facts["detector"] and facts["classes"] == 80
    assert facts["arrays"] == 2 and facts["parameters"] == 87
    assert f"of {framework}: a detector" in run("info", path).output


def test_weights_of_nobody(tmp_path):
    path = weights.write_arrays(tmp_path / "w.npz", {"a": np.zeros(3, np.float32)})
    result = run("info", path)
    assert result.exit_code == 0 and "of none of" in result.output


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"PK nothing")
    result = run("info", tmp_path / "m.keras")
    assert result.exit_code == 2 and "m.keras: not a whole .keras file" in result.output


def test_a_frozen_copy_predicts_the_same(model_file, tmp_path):
    copy = tmp_path / "deploy" / "copy.keras"
    done = json.loads(run("freeze", model_file, copy, "--json").stdout)
    assert done["bytes"] == copy.stat().st_size < 0.6 * done["bytes_before"]
    first, second = kmaskrcnn.load(model_file), kmaskrcnn.load(copy)
    assert second.frozen == ("stem", "C2", "C3", "C4", "C5")
    assert not getattr(second, "optimizer", None)
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for name in ("boxes", "scores", "labels"):
        ours, theirs = (getattr(model.predict(image)[0], name) for model in (first, second))
        np.testing.assert_array_equal(ours, theirs)


def test_a_frozen_copy_is_a_model_file(model_file, tmp_path):
    result = run("freeze", model_file, tmp_path / "copy.npz")
    assert result.exit_code == 2 and ".keras" in result.output
