"""The names of metrics."""

import pytest

from kmaskrcnn.evaluation import Evaluator
from kmaskrcnn.evaluation.evaluator import BESIDE_COCO
from kmaskrcnn.metrics import METRICS, checked_metrics
from tests.evaluation.cases import crowded


@pytest.mark.parametrize("metrics", [["coco", "fid"], [], "coco"])
def test_unknown_metrics_are_refused(metrics):
    with pytest.raises(ValueError, match=r"metrics: expected some of \('coco', 'lvis', 'voc'"):
        checked_metrics(metrics)
    with pytest.raises(ValueError, match="metrics: expected"):
        Evaluator(crowded()[0], metrics=metrics)


def test_each_name_is_measured():
    assert METRICS == ("coco", *BESIDE_COCO)
    assert checked_metrics(["voc", "coco", "voc"]) == ("voc", "coco")
    dataset, predictions = crowded()
    figures = Evaluator(dataset, metrics=["voc", "boundary"]).evaluate(predictions)
    assert {key.split("/")[0] for key in figures} == {"voc_box", "voc_mask", "boundary"}
