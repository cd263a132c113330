"""Whole networks against the references' answers, stage by stage; ``tests/parity`` compares.

One case of each kind. ``python -m tests.parity --all FOLDER`` runs every one there is.
"""

import gc

import pytest

from tests.conftest import why_no_op
from tests.parity.case import Case
from tests.parity.compare import STAGES, compare
from tests.parity.report import text
from tests.shared import shared_path

CASES = [
    "torchvision_maskrcnn_resnet50_fpn_v2",
    "torchvision_fasterrcnn_resnet50_fpn",
    "torchvision_keypointrcnn_resnet50_fpn",
    "detectron2_mask_rcnn_R_50_FPN",
    "detectron2_mask_rcnn_R_50_DC5",
    "detectron2_mask_rcnn_R_50_FPN_gn",
    "detectron2_mask_rcnn_X_101_32x8d_FPN",
    "detectron2_keypoint_rcnn_R_50_FPN",
    "detectron2_cascade_mask_rcnn_R_50_FPN",
    "matterport_mask_rcnn_resnet50",
    "matterport_mask_rcnn_resnet101",
]
LONG = {  # these stages alone: all of C4's take minutes
    "detectron2_mask_rcnn_R_50_C4": [
        stage for stage in STAGES if stage not in ("losses", "gradients")
    ],
}

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def memory():
    """A big model goes before the next comes."""
    yield
    gc.collect()


def run(name: str, only=tuple(STAGES)) -> None:
    if name.startswith("detectron2") and why_no_op():
        pytest.skip("its RoIAlign samples adaptively, which only the C++ op can")
    result = compare(Case(shared_path(f"parity/{name}")), only)
    assert result.ok, text(result)


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    run(name)


@pytest.mark.parametrize("name", LONG)
def test_stages_of_a_long_case(name):
    run(name, LONG[name])


def test_on_both_implementations_of_roi_align(roi_align_implementation):
    run("torchvision_maskrcnn_resnet50_fpn")
