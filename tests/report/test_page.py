"""The page: what stands on it, whose names cannot break it, and that a model makes it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from kmaskrcnn.data import Sample, ShapesDataset
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.report import save_report
from kmaskrcnn.report.page import measure, page
from tests.coco_folder import write_coco
from tests.evaluation.cases import SIZE, Listed, crowded, found, square
from tests.terminal import run

HISTORY = {"loss": [2.0, 1.0], "val_mask_AP": [0.1, 0.3]}
EVIL = '<script>alert("x")</script>'


def photographed(dataset, names=None):
    """The same samples with pixels."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (*SIZE, 3), np.uint8) for _ in range(len(dataset))]
    samples = [replace(dataset[i], image=image) for i, image in enumerate(images)]
    return Listed(samples, names or dataset.class_names)


@pytest.fixture(scope="module")
def report():
    dataset, predictions = crowded(1)
    return measure(photographed(dataset), predictions)


@pytest.fixture(scope="module")
def html(report):
    return page(report, title="best.keras on animals", history=HISTORY)


def test_every_part_is_there(html, report):
    parts = "training precision confusion thresholds calibration counts worst best alarms misses"
    assert re.findall(r'<h2 id="(\w+)">', html) == parts.split()
    for name in report.dataset.class_names:
        assert f"<td>{name}</td>" in html
        assert f"{name}: F1" in html
    assert "Expected calibration error" in html
    assert f"{len(report.analysis.mistakes.misses)} in all. <em>Unsure" in html
    assert html.count("<img ") > 20


def test_without_a_history_there_are_no_curves(report):
    assert 'id="training"' not in page(report, title="t")


def test_names_cannot_break_the_page():
    dataset, predictions = crowded(1)
    names = (EVIL, "$x_1^", "&amp;")
    evil = photographed(dataset, names)
    evil.samples = [replace(s, image_id=EVIL) for s in evil.samples]
    renamed = [(i, found.replaced(class_names=names)) for i, found in predictions]
    text = page(measure(evil, renamed), title=EVIL)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 10


def test_nothing_to_see_is_a_page_too():
    nothing = photographed(Listed([Sample("a.png", [], 0, SIZE)]))
    text = page(measure(nothing, [(0, found())]), title="t")
    assert "None has a mistake." in text and "0 in all." in text and "0 in all, with" in text
    everything_missed = photographed(Listed([Sample("a.png", [square(0, 5, 5)], 0, SIZE)]))
    assert "1 missed (not seen)" in page(measure(everything_missed, []), title="t")
    alarms_only = measure(nothing, [(0, found((1, 0.9, 5, 5)))])
    assert "1 false alarm (nothing there)" in page(alarms_only, title="t")


def test_boxes_alone():
    dataset, predictions = crowded(1)
    boxes = [(i, found.replaced(mask_probabilities=None)) for i, found in predictions]
    report = measure(photographed(dataset), boxes)
    assert report.analysis.matches.iou_type == "box"
    assert "box IoU ≥ 0.5" in page(report, title="t")


def test_eighty_classes():
    names = tuple(f"class {i}" for i in range(80))
    there = [square(i, i % 50, i // 2, 10) for i in range(80)]
    dataset = photographed(Listed([Sample("a.png", there, 0, SIZE)], names), names)
    rows = [(i if i % 3 else 0, 0.5 + i / 200, i % 50, i // 2, 10) for i in range(80)]
    text = page(measure(dataset, [(0, found(*rows, class_names=names))]), title="t")
    assert "of the 68 others" in text
    assert "Most often confused" in text
    assert all(f">{name}</text>" in text for name in names)  # of the map
    assert sum(map(len, re.findall(r"<svg.*?</svg>", text, re.DOTALL))) < 1_000_000


def test_mistakes_are_sorted_and_shown_once(monkeypatch):
    monkeypatch.setattr("kmaskrcnn.report.page.CROPS", 2)
    there = [square(0, 20 * i, 0, 10 + 2 * i) for i in range(4)]
    low = [(0, 0.1 + 0.1 * i, 20 * i, 0, 10 + 2 * i) for i in range(4)]
    alarms = [(0, 0.6 + 0.1 * i, 20 * i, 40, 10 + 2 * i) for i in range(4)]
    right, junk = [(0, 0.55, 70, 60)] * 8, [(0, 0.45, 5, 5)] * 30
    dataset = photographed(Listed([Sample("a.png", there, i, SIZE) for i in range(2)]))
    dataset.samples[1] = replace(dataset[1], instances=[square(0, 70, 60)] * 8)
    text = page(measure(dataset, [(0, found(*low, *alarms)), (1, found(*right, *junk))]), title="t")
    sections = re.split("<h3>", text)[1:]
    crops = {s.partition("<")[0]: re.findall(r">(deer.*?)<", s) for s in sections}
    assert crops["The most confident"] == ["deer 0.90: nothing there", "deer 0.80: nothing there"]
    others = ["deer 0.70: nothing there", "deer 0.60: nothing there"]
    assert crops["The largest of the others"] == others
    largest = ["deer: unsure 0.40", "deer: unsure 0.30"]
    assert crops["Found, but just below the threshold"] == crops["The largest"] == largest
    assert crops["The smallest of the others"] == ["deer: unsure 0.10", "deer: unsure 0.20"]


@pytest.fixture(scope="module")
def model():
    return MaskRCNN.from_preset("tiny", ShapesDataset(1).class_names, score_threshold=0.0)


def test_a_model_makes_it(model, tmp_path, eagerly):
    asked = []
    dataset = ShapesDataset(2, image_size=(48, 64))
    report = save_report(
        model, dataset, tmp_path / "new" / "page.html", progress=lambda i: asked.extend(i) or i
    )
    assert asked == [0, 1]
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!DOCTYPE html>")
    assert report.to_dict()["figures"] == pytest.approx(
        {k: v for k, v in model.evaluate(dataset, verbose=0).items() if "/" in k}, nan_ok=True
    )


def test_what_cannot_be_written_or_read_is_said_before_the_work(model, tmp_path):
    (tmp_path / "file").touch()
    asked = []
    with pytest.raises(OSError, match="what should be its folder is a file"):
        save_report(model, ShapesDataset(1), tmp_path / "file" / "p.html", progress=asked.append)
    with pytest.raises(ValueError, match="at least one epoch"):
        save_report(model, ShapesDataset(1), "p.html", history={}, progress=asked.append)
    assert asked == []


def test_on_the_command_line(model, tmp_path, monkeypatch, eagerly):
    monkeypatch.chdir(tmp_path)
    model.save("best.keras")
    write_coco(ShapesDataset(4, image_size=(48, 64)), tmp_path, "photos")
    (tmp_path / "history.csv").write_text("epoch,loss,val_mask_AP\n1,2.0,0.1\n2,1.5,0.2\n")
    done = run("report", "best.keras", "photos.json", "--limit", 2, "--out", "p.html", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["images"] == 2 and "mask/AP" in told["figures"] and "classes" in told
    html = (tmp_path / "p.html").read_text()
    assert 'id="training"' in html and "<h1>best.keras on photos.json</h1>" in html
    assert "The page is p.html." in done.stderr


def test_results_in_the_place_of_a_model(report, html, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = [r for i, found in crowded(1)[1] for r in found.to_coco(i)]
    (tmp_path / "found.json").write_text(json.dumps(results))
    same = save_report("found.json", report.dataset, "page.html", title="t")
    assert same.to_dict()["classes"] == report.to_dict()["classes"]
    assert same.figures == pytest.approx(dict(report.figures), nan_ok=True)
