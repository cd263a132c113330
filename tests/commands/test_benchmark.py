"""`kmaskrcnn benchmark`: from options to a table, a JSON and a picture."""

import json
import math

import cv2
import pytest

from kmaskrcnn import precision
from kmaskrcnn.benchmark import child, words
from kmaskrcnn.benchmark.plan import Plan
from kmaskrcnn.benchmark.series import Batch, Benchmark, Series
from kmaskrcnn.commands import benchmark as job
from kmaskrcnn.commands.output import to_json
from tests.terminal import run

SMALL = "--preset tiny --image-size 64 --memory-limit 160MB".split()
ONE = Batch(1, 9.0, (0.5, 0.625, 0.4), 2e8, 10)
FOUR = Batch(4, 2.0, (1.0,), 5e8, 10)


def series(name: str, work: str, **options) -> Series:
    """With the batches of one and four images."""
    return Series(name, work, 1e9, batches=[ONE, FOUR], over=True, **options)


def benchmark(*measured: Series, **options) -> Benchmark:
    """Of these series, on a machine with one processor."""
    plan = Plan("tiny", precisions=tuple(dict.fromkeys(s.precision for s in measured)), **options)
    machine = {"processor": "Abacus", "cpus": 1, "devices": ["CPU 0"], "memory_limit": 1e9}
    return Benchmark(plan, machine, [*measured])


@pytest.fixture
def fake(monkeypatch):
    """Workers without TensorFlow, whose figures are known."""
    monkeypatch.setattr(child, "MODULE", "tests.benchmark.fake_worker")


def test_json_and_nothing_else_and_both_files(fake, tmp_path):
    out = tmp_path / "new"
    done = run("benchmark", *SMALL, "--precision", "float32,bfloat16", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures == json.loads((out / "benchmark.json").read_text())
    largest = {"fits": 6, "does_not_fit": 7, "found": True, "by_growth": None}
    assert figures["series"][0]["largest"] == largest
    assert figures["series"][2]["problem"] == "UnimplementedError: no kernel"
    assert figures["photograph"] == [64, 85] and figures["fields"]["min_size"] == 64
    picture = cv2.imread(str(out / "benchmark.png"))
    assert picture.std() > 1 and picture.shape[1] > 1000


def test_a_table_for_a_person(fake, tmp_path, capsys):
    done = run("benchmark", *SMALL, "--quick", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    said = done.output
    assert "tiny, images of 64×85" in said and "masks of 10 objects" in said
    assert "float32, train: 200 ms an image" in said
    assert "bfloat16, predict: UnimplementedError: no kernel." in said
    assert "The largest batch was not looked for" in said and "max batch, training" not in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"precisions": ("float32", "bfloat16", "float16"), "time_limit": 240.0}),
        ({"quick": True}, {"precisions": ("float32", "bfloat16"), "batch_sizes": (1, 2)}),
        ({"quick": True, "time_limit": 9.0}, {"time_limit": 9.0, "search": False}),
        ({"memory_limit": "2GB"}, {"memory_limit": 2e9, "search": True}),
        ({"image_size": 32}, {"fields": {"min_size": 32, "max_size": 64}}),
        ({"rois_per_image": 8, "fields": {"nms_iou": 0.3}},
         {"fields": {"rois_per_image": 8, "nms_iou": 0.3}}),
    ],
)  # fmt: skip
def test_options_become_a_plan(options, expected):
    names = "image_size rois_per_image precisions batch_sizes time_limit memory_limit".split()
    given = {"preset": "tiny", "fields": {}, "quick": False, **dict.fromkeys(names)}
    plan = job.plan_of({**given, **options})
    assert {name: getattr(plan, name) for name in expected} == expected


def test_figures_of_a_series():
    found = series("float32", "predict")
    assert (found.single, found.fastest, found.fits) == (ONE, FOUR, 4)
    assert ONE.median == 0.5 and FOUR.images_per_second == 4.0
    assert found.outlook == pytest.approx(9.0)  # 1e8 bytes an image, 5e8 are left
    plain = json.loads(to_json(found))
    assert plain["largest"] == {"fits": 4, "does_not_fit": None, "found": False, "by_growth": 9.0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"searched": True, "failed": 5}, "4"),
        ({"failed": 9}, "4 – 8"),
        ({}, "≥ 4, about 9"),
        ({"limit": math.nan}, "≥ 4"),
        ({"limit": 1e14}, "≥ 4, about 1024"),
        ({"batches": [], "failed": 1, "searched": True}, "none"),
        ({"batches": []}, "–"),
        ({"batches": [Batch(1024, 1.0, (), 1.0, 1)], "searched": True}, "1024 and more"),
    ],
)
def test_the_largest_batch_in_words(options, expected):
    given = {"limit": 1e9, "batches": [ONE, FOUR], **options}
    assert words.largest(Series("float32", "train", **given)) == expected


def test_how_many_times_as_fast():
    twice = Series("bfloat16", "predict", 1e9, batches=[Batch(4, 1.0, (0.5,), 1.0, 1)])
    found = benchmark(series("float32", "predict"), twice)
    assert job.fastest(found, "bfloat16", "predict") == "8 (4)\n2 × as fast"
    assert job.fastest(found, "float32", "predict") == "4 (4)"
    assert job.one_image(found, "float32") == "500 ms\n400 ms – 625 ms"
    assert job.one_image(found, "bfloat16") == "–"


def test_a_processor_without_a_precision_is_said(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("flags : avx2 avx512_bf16")
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    (said,) = words.missing_instructions(("float32", "bfloat16", "float16"))
    assert said.startswith("float16: this processor has no instructions for it")


def test_a_gpu_is_named_and_its_memory_is_not_a_limit():
    found = benchmark(
        Series("float32", "predict", math.nan, batches=[ONE]), series("float32", "train")
    )
    machine = {**found.machine, "devices": ["CPU 0", "GPU 0: NVIDIA H100"]}
    assert words.device(Benchmark(found.plan, machine, found.series)) == "GPU 0: NVIDIA H100"
    only = Benchmark(found.plan, machine, found.series[:1])
    assert not any("GiB" in note for note in words.notes(only))
