"""torchvision's Mask R-CNN, in a Python with torch, torchvision and pycocotools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import worker
from benchmarks.side_by_side.workers.torchvision_operations import OPERATIONS

THREADS = 2
SCHEDULE = {"lr": 1e-9, "momentum": 0.9, "weight_decay": 1e-4}  # weights stay: equal steps


def framework() -> Mapping[str, str]:
    """torch and torchvision, on two threads."""
    import torch
    import torchvision

    torch.set_num_threads(THREADS)
    float((torch.ones(4, 4) @ torch.ones(4, 4)).sum())
    return {"torch": torch.__version__, "torchvision": torchvision.__version__}


def make_model(folder: Path, **options: object):
    """The seeded model in evaluation mode, its stem and first stage frozen.

    Args:
        folder: of the inputs.
        **options: of `maskrcnn_resnet50_fpn`, as `min_size`.
    """
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, **options)
    freeze_batch_norms(model)
    with np.load(folder / "weights.npz") as arrays:
        model.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    for name, parameter in model.backbone.body.named_parameters():
        parameter.requires_grad_(name.startswith(("layer2", "layer3", "layer4")))
    return model.eval()


def freeze_batch_norms(module) -> None:
    """With an epsilon of 0, as the published weights are used (`overwrite_eps`)."""
    from torch.nn import BatchNorm2d
    from torchvision.ops.misc import FrozenBatchNorm2d

    for name, child in module.named_children():
        if isinstance(child, BatchNorm2d):
            setattr(module, name, FrozenBatchNorm2d(child.num_features, eps=0.0))
        else:
            freeze_batch_norms(child)


def as_tensor(photo: np.ndarray):
    """(H, W, 3) uint8 as (3, H, W) in 0 … 1."""
    import torch

    return torch.from_numpy(photo).permute(2, 0, 1).float() / 255


def make_predict(folder: Path) -> worker.Case:
    """One photograph in memory to full-size binary masks."""
    return predictor(make_model(folder), np.load(folder / "photo.npy")[None])


def make_predict_batch8(folder: Path) -> worker.Case:
    """Eight photographs of 512×512 together."""
    photos = np.load(folder / "photos_512.npy")
    return predictor(make_model(folder, min_size=512, max_size=512), photos)


def predictor(model, photos: np.ndarray) -> worker.Case:
    """Arrays (B, H, W, 3) uint8 to NumPy's arrays of boxes, labels, scores and binary masks."""
    import torch

    def predict() -> worker.Answer:
        with torch.no_grad():
            found = model([as_tensor(photo) for photo in photos])
            masks = [(one["masks"] > 0.5)[:, 0].numpy() for one in found]
        return {
            "detections": sum(len(one["boxes"].numpy()) for one in found),
            "mask_pixels": sum(int(np.count_nonzero(mask)) for mask in masks),
        }

    return predict


def make_training(case: str, **options: object) -> worker.Maker:
    """A training step by SGD on a batch of two, with 512 RoIs an image."""

    def make(folder: Path) -> worker.Case:
        import torch

        model = make_model(folder, **options).train()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.SGD(trained, **SCHEDULE)
        images, targets = training_batch(folder / f"{case}.npz")
        mask_rois = []
        model.roi_heads.mask_head.register_forward_hook(
            lambda head, pooled, masks: mask_rois.append(len(masks))
        )

        def step() -> worker.Answer:
            loss = sum(model(images, [dict(target) for target in targets]).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return {"loss": loss.item(), "mask_rois": mask_rois.pop()}

        return step

    return make


make_train_512 = make_training("train_512", min_size=512, max_size=512)


def training_batch(path: Path):
    """Two images and their targets, as the model takes them."""
    import torch

    with np.load(path) as truth:
        images = [as_tensor(image) for image in truth["images"]]
        columns = zip(truth["boxes"], truth["labels"], truth["masks"], strict=True)
        targets = [
            {
                "boxes": torch.from_numpy(boxes),
                "labels": torch.from_numpy(labels),
                "masks": torch.from_numpy(masks.astype(np.uint8)),
            }
            for boxes, labels, masks in columns
        ]
    return images, targets


if __name__ == "__main__":
    worker.serve(
        {
            "predict": make_predict,
            "predict_batch8": make_predict_batch8,
            "train_512": make_train_512,
            "train_800": make_training("train_800"),
            **OPERATIONS,
            "import": worker.program("import torchvision.models.detection"),
            "first_prediction": worker.first("torchvision", "make_predict"),
            "first_training_step": worker.first("torchvision", "make_train_512"),
        },
        framework,
    )
