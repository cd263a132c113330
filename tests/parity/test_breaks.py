"""A convention that is not the reference's is noticed, at the stage where it first matters."""

import gc

import pytest

from tests.conftest import why_no_op
from tests.parity import found, stages, training
from tests.parity.case import Case
from tests.parity.run import Run
from tests.shared import shared_path

# What each field is the convention of, broken: the stage to notice it, and by which row.
OF_THE_NETWORK = {
    "the order of the channels": ("input", {"pixel_mean": (103.53, 116.28, 123.675)}),
    "the resize": ("input", {"resize": "affine"}),
    "what sides are padded to": ("input", {"size_divisor": 64}),
    "the epsilon of the norms": ("features", {"norm_epsilon": 1e-3}),
    "where a bottleneck has its stride": ("features", {"stride_in_1x1": False}),
    "how the first pooling is padded": ("features", {"same_pool": True}),
    "anchors of whole pixels": ("anchors", {"round_anchors": True}),
    "height / width or width / height": ("anchors", {"aspect_ratios": (2.0, 1.0, 0.5)}),
    "the weights of the RPN's deltas": ("proposals", {"rpn_box_weights": (10.0, 10.0, 5.0, 5.0)}),
    "the IoU of the proposals' NMS": ("proposals", {"proposal_nms_iou": 0.65}),
    "how many go into it": ("proposals", {"pre_nms_test": 500}),
    "the half-pixel shift": ("box", {"roi_aligned": False}),
    "samples a bin": ("box", {"sampling_ratio": 2}),
    "which level a RoI is pooled from": ("box", {"level_rule": "matterport"}),
}
OF_THE_RESULT = {
    "the score threshold": ("detections", {"score_threshold": 0.5}),
    "the weights of the box deltas": ("detections", {"box_weights": (8.0, 8.0, 4.0, 4.0)}),
    "the IoU of the last NMS": ("detections", {"nms_iou": 0.45}),
    "one class a RoI": ("detections", {"best_class_only": True}),
    "how a mask is pasted": ("masks", {"mask_paste": "torchvision"}),
}
OF_THE_LOSSES = {
    "where the RPN's L1 turns linear": ("loss_rpn_box_reg", {"rpn_box_beta": 0.0}),
    "where the boxes' does": ("loss_box_reg", {"box_beta": 0.0}),
    "masks of halves or of bits": ("loss_mask", {"mask_targets": "binary"}),
    "the truth among the proposals": ("loss_classifier", {"truth_as_proposals": False}),
}
TRACED = {
    "input": stages.input_rows,
    "features": stages.feature_rows,
    "rpn": stages.rpn_rows,
    "anchors": stages.anchor_rows,
    "proposals": stages.proposal_rows,
    "box": stages.box_rows,
}
PREDICTED = {"detections": found.detection_rows, "masks": found.mask_rows}

pytestmark = pytest.mark.slow


class Kept:
    """A case whose weights are drawn once, and its run with nothing broken."""

    def __init__(self, name: str):
        self.case = Case(shared_path(f"parity/{name}"))
        self.weights = self.case.weights()
        self.whole = self.broken()

    def broken(self, **changes) -> Run:
        return Run(self.case, self.weights, **changes)


@pytest.fixture(scope="module")
def detectron2():
    if why_no_op():
        pytest.skip("its RoIAlign samples adaptively, which only the C++ op can")
    yield Kept("detectron2_cityscapes_mask_rcnn_R_50_FPN")
    gc.collect()


@pytest.fixture(scope="module")
def torchvision():
    yield Kept("torchvision_maskrcnn_resnet50_fpn")
    gc.collect()


def first_to_differ(run: Run, rows_of: dict) -> str | None:
    """The first stage with a row beyond its limit."""
    return next(
        (stage for stage, rows in rows_of.items() if any(not row.ok for row in rows(run))), None
    )


def wrong_losses(run: Run) -> set[str]:
    """The losses beyond their limit."""
    rows = training.loss_rows(run.case, training.losses(run))
    return {row.what for row in rows if not row.ok}


def test_nothing_broken_nothing_noticed(detectron2):
    assert first_to_differ(detectron2.whole, TRACED | PREDICTED) is None


def test_no_loss_broken_none_noticed(torchvision):
    assert not wrong_losses(torchvision.whole)


@pytest.mark.parametrize("convention", OF_THE_NETWORK)
def test_of_the_network(convention, detectron2):
    stage, changes = OF_THE_NETWORK[convention]
    run = detectron2.broken(**changes)
    stages_before = list(TRACED)[: list(TRACED).index(stage) + 1]
    if stage != "box":
        run.fed = [boxes[:1] for boxes in run.fed]  # quicker: the heads are not asked
    assert first_to_differ(run, {name: TRACED[name] for name in stages_before}) == stage


@pytest.mark.parametrize("convention", OF_THE_RESULT)
def test_of_the_result(convention, detectron2):
    stage, changes = OF_THE_RESULT[convention]
    assert first_to_differ(detectron2.broken(**changes), PREDICTED) == stage


@pytest.mark.parametrize("convention", OF_THE_LOSSES)
def test_of_the_losses(convention, torchvision):
    loss, changes = OF_THE_LOSSES[convention]
    run = torchvision.broken(**changes)
    run.inputs = torchvision.whole.inputs  # the same; no second trace
    assert loss in wrong_losses(run)
