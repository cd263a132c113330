"""--precision: which policy a model gets, and what a person hears of the processor."""

import json

import pytest

from kmaskrcnn import precision
from kmaskrcnn.commands.precision import policy_here
from kmaskrcnn.model import MaskRCNN
from tests.data.samples import write_image
from tests.terminal import run


@pytest.mark.parametrize(
    ("asked", "there", "said"),
    [
        ("bfloat16", (), "no instructions for bfloat16: float32 is faster"),
        ("bfloat16", ("AMX",), ""),
        ("bfloat16", None, ""),
        ("float32", (), ""),
        (None, (), ""),
    ],
)
def test_a_processor_that_has_to_imitate_says_so(asked, there, said, monkeypatch, capsys):
    monkeypatch.setattr(precision, "instructions", lambda name: there)
    assert policy_here(asked) == precision.policy(asked)
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed and bool(said) == bool(printed)


def test_predict_in_sixteen_bits(tmp_path, eagerly):
    options = {"score_threshold": 0.0, "detections_per_image": 3}
    MaskRCNN.from_preset("tiny", ["a", "b"], **options).save(tmp_path / "m.keras")
    image = write_image(tmp_path / "image.png", 64, 96)
    found = {}
    for name in ("float32", "bfloat16"):
        out = tmp_path / name
        arguments = [tmp_path / "m.keras", image, "--out", out, "--score", 0, "--precision", name]
        done = run("predict", *arguments)
        assert done.exit_code == 0, done.output
        found[name] = json.loads((out / "predictions.json").read_text())
    assert len(found["float32"]) == len(found["bfloat16"]) == 3
    assert found["float32"] != found["bfloat16"]
