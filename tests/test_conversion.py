"""Models from and to the files of other projects, on the smallest network."""

import sys

import numpy as np
import pytest

import kmaskrcnn
from kmaskrcnn import conversion, weights
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.weights.hub.published import PublishedWeights
from tests.weights.server import serving

SMALL = {
    "backbone": "resnet_tiny",
    "fpn_channels": 16,
    "rpn_channels": 16,
    "box_head_channels": 32,
    "mask_head_channels": 16,
    "min_size": 64,
    "max_size": 128,
    "score_threshold": 0.0,
}
OTHERS = {
    "torchvision": ("torchvision/maskrcnn_resnet50_fpn", ".safetensors"),
    "detectron2": ("detectron2/mask_rcnn_R_50_FPN", ".pkl"),
    "matterport": ("matterport/mask_rcnn_resnet50", ".h5"),
    "ours": ("tiny", ".npz"),
}


def small(preset, class_names=("cat", "dog"), **changes):
    return MaskRCNN.from_preset(
        preset, class_names, **({} if preset == "tiny" else SMALL), **changes
    )


@pytest.mark.parametrize("framework", OTHERS)
def test_there_and_back_is_the_same(framework, tmp_path):
    preset, ending = OTHERS[framework]
    model = small(preset)
    path = conversion.write_model(model, tmp_path / f"model{ending}")
    again = small(preset, weights=path)
    assert again.load_report.missing == () and again.load_report.unused == ()
    for name, variable in model.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], variable, err_msg=name)
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    (first,), (second,) = model.predict(image), again.predict(image)
    np.testing.assert_array_equal(first.boxes, second.boxes)


def test_classes_follow_the_weights_and_known_ones_are_kept():
    model = small("detectron2/mask_rcnn_R_50_FPN", [f"class {i}" for i in range(80)])
    state = model.export_state("detectron2")
    coco = small("detectron2/mask_rcnn_R_50_FPN", None, weights=state)
    assert coco.class_names[15] == "cat" and len(coco.class_names) == 80
    other = small("detectron2/mask_rcnn_R_50_FPN", ["balloon", "cat"], weights=state)
    ours = other.parameters["box_head/logits/bias"].numpy()
    theirs = coco.parameters["box_head/logits/bias"].numpy()
    np.testing.assert_array_equal(ours[[1, 2]], theirs[[15, 80]])
    kernel = coco.parameters["mask_head/logits/kernel"].numpy()
    np.testing.assert_array_equal(
        other.parameters["mask_head/logits/kernel"][..., 1], kernel[..., 15]
    )
    assert "classes kept from the checkpoint: cat" in str(other.load_report)
    assert "classes that start anew: balloon" in str(other.load_report)


def test_published_weights_are_fetched_once_and_loaded(tmp_path, monkeypatch):
    preset = "torchvision/maskrcnn_resnet50_fpn"
    model = small(preset)
    path = weights.write_arrays(tmp_path / "net.safetensors", model.export_state("torchvision"))
    monkeypatch.setenv("KMASKRCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    with serving(path.read_bytes()) as server:
        url = f"{server.address}/net.safetensors"
        row = PublishedWeights(preset, "coco", url, "BSD", "here", size=path.stat().st_size)
        monkeypatch.setattr(sys.modules["kmaskrcnn.weights.hub.published"], "_ROWS", (row,))
        for _ in range(2):
            loaded = small(preset, weights="coco")
        assert len(server.requests) == 1
    name = "mask_head/logits/kernel"
    np.testing.assert_array_equal(loaded.parameters[name].numpy(), model.parameters[name].numpy())
    assert loaded.load_report.source == url and loaded.frozen == ("stem", "C2")


def test_a_model_of_ours_is_a_checkpoint_for_other_classes(tmp_path):
    model = small("tiny", ["cat", "dog", "bird"])
    model.save(tmp_path / "model.keras")
    other = small("tiny", ["bird", "cow"], weights=tmp_path / "model.keras")
    np.testing.assert_array_equal(
        other.parameters["fpn/output_P2/kernel"], model.parameters["fpn/output_P2/kernel"]
    )
    np.testing.assert_array_equal(
        other.parameters["box_head/logits/kernel"][:, 0],
        model.parameters["box_head/logits/kernel"][:, 2],
    )


def test_weights_that_do_not_fit_name_what_is_wrong():
    state = small("detectron2/mask_rcnn_R_50_FPN").export_state("detectron2")
    state.pop("backbone.fpn_output3.bias")
    state["something.else"] = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match=r"(?s)fpn/output_P3/bias.*something\.else"):
        small("detectron2/mask_rcnn_R_50_FPN", weights=state)
    with pytest.raises(ValueError, match="torchvision"):
        small("torchvision/maskrcnn_resnet50_fpn", weights={"a": np.zeros(3)})


def test_a_deeper_backbone_is_refused():
    deeper = small("tiny", backbone="resnet18").export_state("ours")
    body = {name: array for name, array in deeper.items() if name.startswith("backbone/")}
    again = small("tiny", backbone="resnet18", weights=body)
    np.testing.assert_array_equal(
        again.parameters["backbone/res2.0.conv1/kernel"].numpy(),
        body["backbone/res2.0.conv1/kernel"],
    )
    body["backbone/res4.2.conv1/kernel"] = body["backbone/res4.1.conv1/kernel"]
    with pytest.raises(ValueError, match=r"deeper than resnet18.*res4\.2"):
        small("tiny", backbone="resnet18", weights=body)


def test_a_model_that_the_framework_lacks_is_refused():
    with pytest.raises(ValueError, match="torchvision"):
        small("torchvision/maskrcnn_resnet50_fpn", mask_head="mlp").export_state("torchvision")


def test_a_file_of_weights_needs_its_preset(tmp_path):
    path = weights.write_arrays(tmp_path / "w.npz", {"a": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="--preset"):
        conversion.open_model(str(path))
    with pytest.raises(ValueError, match=r"\.npz, \.safetensors, \.pkl, \.h5"):
        weights.write_arrays(tmp_path / "w.pth", {})


def test_a_model_file_is_opened_as_it_is(tmp_path):
    small("tiny").save(tmp_path / "model.keras")
    model = conversion.open_model(str(tmp_path / "model.keras"))
    assert isinstance(model, kmaskrcnn.MaskRCNN) and model.class_names == ("cat", "dog")
