"""`kmaskrcnn evaluate` of a file of results: no model, no photographs."""

import json

import pytest

from kmaskrcnn.commands.output import print_figures
from kmaskrcnn.evaluation import Evaluator
from tests.evaluation.cases import crowded
from tests.evaluation.reference import as_coco
from tests.terminal import run


@pytest.fixture
def files(tmp_path):
    """A truth without photographs, and results."""
    dataset, predictions = crowded(2)
    content = as_coco(dataset)
    for image in content["images"]:
        image["file_name"] = f"{image['id']}.jpg"
    for annotation in content["annotations"]:
        annotation["segmentation"]["counts"] = annotation["segmentation"]["counts"].decode()
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    truth.write_text(json.dumps(content))
    found = [r for i, d in predictions for r in d.to_coco(dataset[i].image_id)]
    results.write_text(json.dumps(found))
    return truth, results


def test_results_are_measured_without_photographs(files):
    truth, results = files
    arguments = [results, truth, "--metrics", "coco,voc", "--json"]
    done = run("evaluate", *arguments, "--out", truth.parent / "figures.json")
    assert done.exit_code == 0, done.output
    got = json.loads(done.stdout)
    assert got == json.loads((truth.parent / "figures.json").read_text())
    expected = Evaluator(crowded(2)[0], metrics=["coco", "voc"]).evaluate(crowded(2)[1])
    assert set(got) == set(expected)
    assert got["voc_mask/AP50"] == pytest.approx(expected["voc_mask/AP50"])
    assert got["box/AP"] == pytest.approx(expected["box/AP"]) and 0 < got["box/AP"] < 1


def test_a_file_of_lvis_knows_what_was_looked_for(files):
    truth, results = files
    content = json.loads(truth.read_text())
    for image in content["images"]:
        image |= {"neg_category_ids": [1, 2, 3], "not_exhaustive_category_ids": []}
    for category, frequency in zip(content["categories"], "rcf", strict=True):
        category["frequency"] = frequency
    truth.write_text(json.dumps(content))
    done = run("evaluate", results, truth, "--metrics", "coco,lvis", "--json")
    assert done.exit_code == 0, done.output
    got = json.loads(done.stdout)
    assert got["lvis_box/AP_rare"] == got["lvis_box/AP/deer"] == pytest.approx(got["box/AP/deer"])


def test_a_table_for_each_metric(files):
    truth, results = files
    printed = run("evaluate", results, truth, "--metrics", "coco,voc,boundary").output
    assert "keypoints" not in printed and printed.index("voc") < printed.index("boundary")
    assert "AP50_11points/deer" in printed


def test_keypoints_have_rows_of_their_own(capsys):
    print_figures({"loss": 1.0, "box/AR100": 0.5, "keypoints/AR": 0.25, "keypoints/AP": 0.125})
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "AR" in line]
    assert [row[1] for row in rows] == ["AR100", "AR"]


def test_what_is_no_metric_or_no_result(files):
    truth, results = files
    done = run("evaluate", results, truth, "--metrics", "coco,fid")
    assert done.exit_code == 2 and "expected some of coco, lvis" in done.output
    done = run("evaluate", truth.parent / "truth.json", truth)
    assert done.exit_code and "entry 0: score: expected" in done.output
