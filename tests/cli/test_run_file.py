"""The TOML file of a run: what it says, who wins over it, and what is wrong with it."""

import dataclasses
import re

import pytest
import tomlkit

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.commands import output
from kmaskrcnn.config import MaskRCNNConfig
from tests.terminal import run
from tests.test_augmentation import OFF_DEFAULTS

FILE = """
data = "photos.json"
val-fraction = 0.25
out = "runs/first"
epochs = 3
image-size = 64
skip-broken = true

[model]
nms_iou = 0.3
min_size = 32
delta_clamp = "none"
anchor_sizes = [[8], [16], [32], [64], [128]]
"""


@pytest.fixture
def train(monkeypatch, tmp_path):
    """``kmaskrcnn train`` up to where the training would begin; gives what it was told to do."""
    monkeypatch.chdir(tmp_path)
    jobs = []
    monkeypatch.setattr(output, "tell", lambda module, as_json, job: jobs.append(job))

    def told(*args):
        result = run("train", *args)
        assert result.exit_code == 0, result.output
        return jobs[-1]

    return told


def test_a_file_stands_for_options(train, tmp_path):
    (tmp_path / "my.toml").write_text(FILE)
    job = train("--config", "my.toml")
    assert (job.data, job.val_fraction, str(job.out)) == ("photos.json", 0.25, "runs/first")
    assert (job.epochs, job.skip_broken, job.image_size, job.batch_size) == (3, True, 64, 2)
    sizes = ((8,), (16,), (32,), (64,), (128,))
    wanted = {"nms_iou": 0.3, "min_size": 32, "delta_clamp": None, "anchor_sizes": sizes}
    assert job.fields == wanted


def test_the_command_line_wins(train, tmp_path):
    (tmp_path / "my.toml").write_text(FILE)
    options = ["--epochs", 5, "--set", "nms_iou=0.4", "--image-size", 48, "--val", "v.json"]
    job = train("other.json", "--config", "my.toml", *options)
    assert (job.data, job.epochs, job.val, job.val_fraction) == ("other.json", 5, "v.json", None)
    assert job.fields["nms_iou"] == 0.4 and job.fields["delta_clamp"] is None
    assert "min_size" not in job.fields and job.changes()["min_size"] == 48


def test_what_is_written_repeats_the_run(train, tmp_path):
    (tmp_path / "photos").mkdir()
    options = {
        "--val": "val.json",
        "--images": "photos",
        "--augment": "flip+crop",
        "--augment-set": "rotation=7.5",
        "--preset": "laptop",
        "--weights": "imagenet",
        "--freeze": "C5",
        "--precision": "float16",
        "--learning-rate": 1e-5,
        "--batch-size": 7,
        "--seed": 3,
        "--add": "more.json",
        "--rename": "lorry=truck",
        "--repeat-factor": 0.01,
        "--cache": "2GB",
        "--patience": 2,
        "--set": "backbone_taps=(('C5', 'conv'),)",
        "--out": "runs/a",
    }
    line = [text for pair in options.items() for text in pair]
    line += ["--tensorboard", "--any-orientation", "--rename", "van=truck"]
    first = train("train.json", *line, "--set", "delta_clamp=none")
    (tmp_path / "again.toml").write_text(first.record)
    again = train("--config", "again.toml")
    differing = {
        field.name
        for field in dataclasses.fields(first)
        if getattr(first, field.name) != getattr(again, field.name)
    }
    assert differing == {"data", "val", "out", "images", "add"}  # right from every folder now
    assert again.rename == ("lorry=truck", "van=truck") and not again.by_orientation
    assert again.add == (str(tmp_path / "more.json"),) and again.cache == "2GB"
    assert again.data == str(tmp_path / "train.json") and again.weights == "imagenet"
    assert train("--config", "again.toml", "--seed", 3).record == first.record


def test_every_field_goes_through_a_file(train, tmp_path):
    defaults = MaskRCNNConfig()
    fields = {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}
    lines = [text for name, value in fields.items() for text in ("--set", f"{name}={value!r}")]
    first = train("a", "--val", "b", "--out", "c", *lines)
    assert first.fields == fields
    (tmp_path / "all.toml").write_text(first.record)
    assert train("--config", "all.toml").fields == fields


def test_every_switch_of_the_augmentation_goes_through_a_file(train, tmp_path):
    lines = [text for k, v in OFF_DEFAULTS.items() for text in ("--augment-set", f"{k}={v!r}")]
    first = train("a", "--val", "b", "--out", "c", "--augment", "none", *lines)
    assert first.augmentation == Augmentation(**OFF_DEFAULTS)
    assert "rotation = 10.0 # none has 0.0" in first.record
    (tmp_path / "all.toml").write_text(first.record)
    assert train("--config", "all.toml").augmentation == first.augmentation
    changed = train("--config", "all.toml", "--augment-set", "rotation=5").augmentation
    assert changed == first.augmentation.replace(rotation=5)
    another = train("--config", "all.toml", "--augment", "lsj").augmentation
    assert another == Augmentation.named("lsj")


def test_the_file_explains_itself(train):
    text = train("a", "--val", "b", "--out", "c", "--preset", "tiny", "--set", "nms_iou=0.3").record
    content = tomlkit.parse(text).unwrap()
    assert Augmentation(**content["augmentation"]) == Augmentation.named("flip")
    assert content["model"] == {"nms_iou": 0.3} and content["batch-size"] == 2
    assert "# Images a step.\nbatch-size = 2" in text
    assert "nms_iou = 0.3 # tiny has 0.5" in text
    assert "resume" not in content and "learning-rate" not in content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epoch = 3", r"my.toml: no option 'epoch'; did you mean epochs\?"),
        ("batch_size = 3", "no option 'batch_size'; did you mean batch-size"),
        ("[modle]\nnms_iou = 1", "no option 'modle'"),
        ("epochs = 'many'", "my.toml: epochs: expected a whole number, got 'many'"),
        ("epochs = 2.5", "epochs: expected a whole number, got 2.5"),
        ("epochs = true", "epochs: expected a whole number, got True"),
        ("learning-rate = 'low'", "learning-rate: expected a number, got 'low'"),
        ("skip-broken = 1", "skip-broken: expected true or false, got 1"),
        ("preset = 3", "preset: expected a text in quotes, got 3"),
        ("add = 'more.json'", "add: expected a list of texts in quotes, got 'more.json'"),
        ("rename = ['lorry']", "my.toml: rename: 'lorry': expected OLD=NEW, such as lorry=truck"),
        ("cache = 'lots'", "my.toml: cache: 'lots': expected a number of bytes, such as 2GB"),
        ("epochs = 0", "my.toml: epochs: 0 is not in the range x>=1"),
        ("preset = 'tinny'", "my.toml: preset: 'tinny' is not one of"),
        ("images = 'gone'", "my.toml: images: Directory 'gone' does not exist"),
        ("[model]\nnms = 0.5", "my.toml: \\[model\\] .*did you mean .*nms_iou"),
        ("[model]\nnms_iou = 'low'", "my.toml: \\[model\\] nms_iou: expected a number"),
        ("model = 3", "model: expected a table"),
        ("augmentation = 'flip'", "augmentation: expected a table"),
        ("[augmentation]\nrotate = 1.0", "my.toml: \\[augmentation\\] .*did you mean rotation"),
        ("[augmentation]\nflip = 3.0", "Augmentation.flip must be between 0 and 1"),
        ("epochs = ", "my.toml: expected a TOML file of options: .* line 1"),
        ("epochs = 3\nepochs = 4", "epochs"),
        ("a = " + "'x'" * 400_000, "larger than"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(text, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(text)
    result = run("train", "a", "--val", "b", "--out", "c", "--config", "my.toml")
    assert result.exit_code == 2
    assert re.search(expected, result.output), result.output


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "my.toml").write_bytes(b"\xff\xfe\x00")
    result = run("train", "--config", tmp_path / "my.toml")
    assert result.exit_code == 2 and "my.toml: expected a TOML file" in result.output
