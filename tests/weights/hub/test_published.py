"""The table of published weights agrees with the presets, the classes, and its own file names."""

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from kmaskrcnn import classes, presets
from kmaskrcnn.backbones import backbone_names
from kmaskrcnn.weights.hub.published import names, published, rows

ROWS = pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.preset}:{row.name}")
DETECTORS = [row for row in rows() if row.classes]


@ROWS
def test_an_address_is_an_https_one_of_a_file(row):
    assert re.fullmatch(r"https://[\w./-]+\.(pth|pkl|h5)", row.url)
    assert row.url.endswith("/" + row.file_name)


@ROWS
def test_licence_and_source_are_stated(row):
    assert row.licence and row.source


@ROWS
def test_checksums_are_those_in_the_file_names(row):
    if found := re.search(r"-([0-9a-f]{8})\.pth$", row.url):
        assert row.sha256 == found[1]
    elif found := re.search(r"_([0-9a-f]{6})\.pkl$", row.url):
        assert row.md5 == found[1]
        assert row.sha256 is None or re.fullmatch("[0-9a-f]{64}", row.sha256)
    else:
        assert row.sha256 is None and row.md5 is None


@ROWS
def test_the_bytes_round_to_the_stated_size(row):
    if row.size is not None and row.mib is not None:
        assert row.size / 2**20 == pytest.approx(row.mib, abs=0.0006)


@pytest.mark.parametrize("row", DETECTORS, ids=lambda row: f"{row.preset}:{row.name}")
def test_a_detector_fits_its_preset(row):
    config = presets.preset(row.preset)
    assert getattr(classes, row.classes) == presets.published_classes(row.preset)
    assert ("keypoint" in row.ap) == bool(config.keypoint_names)
    assert not row.ap or ("mask" in row.ap) == config.with_masks
    assert all(20 < ap < 70 for ap in row.ap.values())  # percent


@pytest.mark.parametrize("row", [row for row in rows() if not row.classes], ids=lambda row: row.url)
def test_a_backbone_is_one_of_ours(row):
    body = row.preset.partition("/")[2].removesuffix("_gn")
    assert body in backbone_names() and not row.ap


def test_rows_are_told_apart():
    assert len({(row.preset, row.name) for row in rows()}) == len(rows())
    assert len({row.url for row in rows()}) == len(rows())
    with pytest.raises(FrozenInstanceError):
        rows()[0].url = "https://example.org"


def test_a_row_by_name():
    row = published("torchvision/maskrcnn_resnet50_fpn")
    assert row.file_name == "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"
    assert row.ap == {"box": 37.9, "mask": 34.6}
    assert published("torchvision/keypointrcnn_resnet50_fpn", "coco_legacy").ap["box"] == 50.6


IMAGENET = {
    "detectron2/mask_rcnn_R_50_C4": "MSRA/R-50.pkl",
    "detectron2/keypoint_rcnn_R_101_FPN": "MSRA/R-101.pkl",
    "detectron2/mask_rcnn_X_101_32x8d_FPN": "FAIR/X-101-32x8d.pkl",
    "detectron2/mask_rcnn_R_50_FPN_gn": "47261647/R-50-GN.pkl",
    "torchvision/maskrcnn_resnet50_fpn_v2": "resnet50-0676ba61.pth",
    "torchvision/resnext101_64x4d": "resnext101_64x4d-173b62eb.pth",
}


@pytest.mark.parametrize("preset", IMAGENET)
def test_the_backbone_that_a_detector_starts_from(preset):
    assert published(preset, "imagenet").url.endswith("/" + IMAGENET[preset])
    assert names(preset)[-1].startswith("imagenet")


def test_every_reference_preset_is_there_but_those_that_nobody_trained():
    without = {name for name in presets.preset_names() if "/" in name} - {r.preset for r in rows()}
    assert without == {
        "detectron2/mask_rcnn_R_50_FPN_cls_agnostic",  # a config without a model
        "matterport/mask_rcnn_resnet50",
    }


MISSING = {
    "other weights": (("detectron2/cityscapes_mask_rcnn_R_50_FPN", "coco"), "cityscapes, imagenet"),
    "no weights": (("matterport/mask_rcnn_resnet50", "coco"), "matterport/mask_rcnn_resnet101"),
    "a preset of ours": (("laptop", "coco"), "No weights are published for 'laptop'; there are"),
    "a slip": (("torchvision/maskrcn_resnet50_fpn", "coco"), "torchvision/maskrcnn_resnet50_fpn,"),
    "imagenet of ours": (("resnet50_fpn", "imagenet"), "No weights are published"),
}


@pytest.mark.parametrize(("wanted", "expected"), MISSING.values(), ids=MISSING.keys())
def test_what_is_not_there_lists_what_is(wanted, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        published(*wanted)


def test_the_documentation_has_every_row():
    text = (Path(__file__).parents[3] / "docs/weights.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(lines) == len(rows())
    for row, line in zip(rows(), lines, strict=True):
        assert f"| `{row.preset}` | `{row.name}` |" in line
        assert row.url in line and row.licence in line
        for ap in row.ap.values():
            assert f"{ap:.1f}" in line
