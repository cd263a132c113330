"""Detectron2: its own code on torch, computing torchvision's network with the same weights.

Its configuration of R50-FPN has switches for where torchvision differs (stride, input, pooling);
what is left is the rounding of the anchors and the rule for a RoI's level, so its detections are
all but torchvision's. As it is published it pools with an adaptive number of samples, which takes
a little longer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import worker

THREADS = 2
SCHEDULE = {"lr": 1e-9, "momentum": 0.9, "weight_decay": 1e-4}  # weights stay: equal steps
# Parameters of torchvision → of Detectron2.
RENAMED = (
    (r"backbone\.body\.conv1\.", "backbone.bottom_up.stem.conv1."),
    (r"backbone\.body\.bn1\.", "backbone.bottom_up.stem.conv1.norm."),
    (r"backbone\.body\.layer1\.", "backbone.bottom_up.res2."),
    (r"backbone\.body\.layer2\.", "backbone.bottom_up.res3."),
    (r"backbone\.body\.layer3\.", "backbone.bottom_up.res4."),
    (r"backbone\.body\.layer4\.", "backbone.bottom_up.res5."),
    (r"\.bn(\d)\.", r".conv\1.norm."),
    (r"\.downsample\.0\.", ".shortcut."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
    (r"rpn\.head\.conv\.0\.0\.", "proposal_generator.rpn_head.conv."),
    (r"rpn\.head\.cls_logits\.", "proposal_generator.rpn_head.objectness_logits."),
    (r"rpn\.head\.bbox_pred\.", "proposal_generator.rpn_head.anchor_deltas."),
    (r"box_head\.fc6\.", "box_head.fc1."),
    (r"box_head\.fc7\.", "box_head.fc2."),
    (r"mask_predictor\.conv5_mask\.", "mask_head.deconv."),
    (r"mask_predictor\.mask_fcn_logits\.", "mask_head.predictor."),
)
COUNTED = (  # a number in the name, and what Detectron2 adds to it
    (r"backbone\.fpn\.inner_blocks\.(\d)\.0\.", "backbone.fpn_lateral{}.", 2),
    (r"backbone\.fpn\.layer_blocks\.(\d)\.0\.", "backbone.fpn_output{}.", 2),
    (r"mask_head\.(\d)\.0\.", "mask_head.mask_fcn{}.", 1),
)


def framework() -> Mapping[str, str]:
    """torch, on two threads."""
    import torch

    torch.set_num_threads(THREADS)
    float((torch.ones(4, 4) @ torch.ones(4, 4)).sum())
    return {name: version(name) for name in ("torch", "detectron2")}


def make_model(folder: Path):
    """The seeded model, its stem and first stage frozen as it comes."""
    import torch
    from detectron2 import model_zoo
    from detectron2.modeling import build_model

    with np.load(folder / "weights.npz") as arrays:
        weights = dict(renamed(name, arrays[name]) for name in arrays.files)
    cfg = model_zoo.get_config("COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml")
    as_torchvision(cfg.MODEL)
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = len(weights["roi_heads.box_predictor.cls_score.bias"]) - 1
    model = build_model(cfg)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model


def as_torchvision(model_config) -> None:
    """Sets what torchvision does otherwise and Detectron2 has a switch for."""
    model_config.PIXEL_MEAN = [123.675, 116.28, 103.53]
    model_config.PIXEL_STD = [58.395, 57.12, 57.375]
    model_config.RESNETS.STRIDE_IN_1X1 = False
    model_config.RPN.POST_NMS_TOPK_TRAIN = 2000
    model_config.RPN.SMOOTH_L1_BETA = model_config.ROI_BOX_HEAD.SMOOTH_L1_BETA = 1 / 9
    for head in (model_config.ROI_BOX_HEAD, model_config.ROI_MASK_HEAD):
        head.POOLER_TYPE, head.POOLER_SAMPLING_RATIO = "ROIAlign", 2


def renamed(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    """A parameter of torchvision as Detectron2 has it, with the background as its last class."""
    for pattern, template, more in COUNTED:
        found = re.search(pattern, name)
        if found:
            name = name.replace(found[0], template.format(int(found[1]) + more))
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    if ".cls_score." in name:
        array = np.roll(array, -1, axis=0)
    elif ".bbox_pred." in name:
        array = array[4:]
    elif ".mask_head.predictor." in name:
        array = array[1:]
    return name, np.ascontiguousarray(array)


def make_predict(folder: Path) -> worker.Case:
    """One photograph in memory to full-size binary masks."""
    return predictor(make_model(folder), np.load(folder / "photo.npy")[None])


def make_predict_batch8(folder: Path) -> worker.Case:
    """Eight photographs of 512×512 together."""
    return predictor(make_model(folder), np.load(folder / "photos_512.npy"))


def predictor(model, photos: np.ndarray) -> worker.Case:
    """Arrays (B, H, W, 3) uint8, of the network's size already, to binary masks in NumPy."""
    import torch

    model.eval()

    def predict() -> worker.Answer:
        with torch.no_grad():
            found = [one["instances"] for one in model([as_input(photo) for photo in photos])]
            masks = [one.pred_masks.numpy() for one in found]
        return {
            "detections": sum(map(len, found)),
            "mask_pixels": sum(int(np.count_nonzero(mask)) for mask in masks),
        }

    return predict


def as_input(photo: np.ndarray) -> dict:
    """An image (H, W, 3) as its `DefaultPredictor` hands it on."""
    import torch

    image = torch.as_tensor(photo.astype("float32").transpose(2, 0, 1))
    return {"image": image, "height": photo.shape[0], "width": photo.shape[1]}


def make_training(case: str) -> worker.Maker:
    """A training step by SGD on a batch of two, with 512 RoIs an image."""

    def make(folder: Path) -> worker.Case:
        import torch
        from detectron2.utils.events import EventStorage

        model = make_model(folder).train()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, **SCHEDULE)
        batch = training_batch(folder / f"{case}.npz")

        def step() -> worker.Answer:
            with EventStorage():
                loss = sum(model(batch).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return {"loss": loss.item()}

        return step

    return make


def training_batch(path: Path) -> list[dict]:
    """Two images and their objects, as the model takes them."""
    with np.load(path) as truth:
        columns = [truth[name] for name in ("images", "boxes", "labels", "masks")]
    return [
        {**as_input(image), "instances": instances(boxes, labels, masks)}
        for image, boxes, labels, masks in zip(*columns, strict=True)
    ]


def instances(boxes: np.ndarray, labels: np.ndarray, masks: np.ndarray):
    """The objects of an image, whose labels count the background as 0."""
    import torch
    from detectron2.structures import BitMasks, Boxes, Instances

    truth = Instances(masks.shape[1:])
    truth.gt_boxes = Boxes(torch.from_numpy(boxes))
    truth.gt_classes = torch.from_numpy(labels).long() - 1
    truth.gt_masks = BitMasks(torch.from_numpy(masks))
    return truth


if __name__ == "__main__":
    worker.serve(
        {
            "predict": make_predict,
            "predict_batch8": make_predict_batch8,
            "train_512": make_training("train_512"),
            "train_800": make_training("train_800"),
            "import": worker.program("import detectron2.model_zoo, detectron2.modeling"),
            "first_prediction": worker.first("detectron2", "make_predict"),
        },
        framework,
    )
