"""Weights into a model and back, by the command line."""

import numpy as np

from kmaskrcnn import MaskRCNN, weights
from tests.terminal import run


def test_weights_are_converted(tmp_path):
    model = MaskRCNN.from_preset("tiny", ["cat", "dog"])
    arrays, whole = str(tmp_path / "w.npz"), str(tmp_path / "whole.keras")
    weights.write_arrays(arrays, model.export_state("ours"))
    result = run("convert", arrays, whole, "--preset", "tiny", "--classes", "cat, dog")
    assert result.exit_code == 0, result.output
    assert "2 classes" in result.output and "arrays" in result.output
    back = str(tmp_path / "back.npz")
    assert run("convert", whole, back).exit_code == 0
    assert {k: v.tolist() for k, v in weights.read_arrays(back).items()} == {
        k: v.tolist() for k, v in weights.read_arrays(arrays).items()
    }


def test_weights_that_cannot_be_converted(tmp_path):
    path = str(weights.write_arrays(tmp_path / "w.npz", {"a": np.zeros(3, np.float32)}))
    result = run("convert", path, str(tmp_path / "out.keras"))
    assert result.exit_code != 0 and "--preset" in result.output
    result = run("convert", path, str(tmp_path / "out.keras"), "--preset", "matterport/mask_rcnn")
    assert result.exit_code != 0 and "matterport/mask_rcnn_resnet50" in result.output
    assert not (tmp_path / "out.keras").exists()
