"""torchvision's Mask R-CNN on seeded weights, as our config, our arrays and our batch.

The names and orders of both sides meet here: background is torchvision's class 0 and our last.
"""

import importlib.util
import json
import re

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops.masks import pack_masks
from tests.shared import shared_path

CASE = "torchvision_maskrcnn_resnet50_fpn"
NUM_CLASSES = 90
CONFIG = {
    "backbone": "resnet50",
    "norm_epsilon": 0.0,
    "round_anchors": True,
    "fit_anchor_strides": True,
    "roi_aligned": False,
    "proposals_train": 2000,
    "min_size": 320,
    "max_size": 533,
    "rpn_box_beta": 1 / 9,
    "box_beta": 1 / 9,
    "mask_targets": "soft",
    "sampling": "first",
}
NORM_NAMES = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
HEADS = {
    "rpn_head.convs.0": "rpn.head.conv.0.0",
    "rpn_head.logits": "rpn.head.cls_logits",
    "rpn_head.deltas": "rpn.head.bbox_pred",
    "box_head.hidden.0": "roi_heads.box_head.fc6",
    "box_head.hidden.1": "roi_heads.box_head.fc7",
    "box_head.logits": "roi_heads.box_predictor.cls_score",
    "box_head.deltas": "roi_heads.box_predictor.bbox_pred",
    **{f"mask_head.convs.{i}": f"roi_heads.mask_head.{i}.0" for i in range(4)},
    "mask_head.deconv": "roi_heads.mask_predictor.conv5_mask",
    "mask_head.logits": "roi_heads.mask_predictor.mask_fcn_logits",
    **{f"fpn.laterals.C{i + 2}": f"backbone.fpn.inner_blocks.{i}.0" for i in range(4)},
    **{f"fpn.outputs.P{i + 2}": f"backbone.fpn.layer_blocks.{i}.0" for i in range(4)},
}


def seeded():
    """The module that draws the weights."""
    spec = importlib.util.spec_from_file_location("seeded", shared_path("parity/seeded.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def backbone_name(name: str) -> str:
    """``layer1.0.downsample.1.weight`` → ``res2.0.shortcut.norm/gamma``."""
    layer, _, weight = name.removeprefix("backbone.body.").rpartition(".")
    layer = re.sub(r"^(conv1|bn1)$", lambda m: f"stem.{m[0][:-1]}", layer)
    layer = re.sub(r"^layer(\d)", lambda m: f"res{int(m[1]) + 1}", layer)
    layer = layer.replace("downsample.0", "shortcut.conv").replace("downsample.1", "shortcut.norm")
    layer = layer.replace("bn", "norm")
    return f"{layer}/" + ("kernel" if "conv" in layer.split(".")[-1] else NORM_NAMES[weight])


def backbone_arrays(state) -> dict[str, np.ndarray]:
    """The body's arrays by our names and in Keras' layouts."""
    return {
        backbone_name(name): array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
        for name, array in state.items()
        if name.startswith("backbone.body.")
    }


def assign_heads(model, state) -> None:
    """FPN, RPN and heads, class by class into our order."""
    for ours, theirs in HEADS.items():
        layer = model
        for part in ours.split("."):
            key = int(part) if part.isdigit() else part
            layer = layer[key] if isinstance(layer, (list, dict)) else getattr(layer, key)
        kernel, bias = state[f"{theirs}.weight"], state[f"{theirs}.bias"]
        layer.kernel.assign(_kernel(ours, kernel))
        layer.bias.assign(_rows(ours, bias))


def _kernel(ours, kernel):
    kernel = _rows(ours, kernel) if ours != "mask_head.deconv" else kernel
    if ours == "box_head.hidden.0":  # theirs flattens (F, S, S), ours (S, S, F)
        kernel = kernel.reshape(len(kernel), 256, 7, 7).transpose(0, 2, 3, 1)
        kernel = kernel.reshape(len(kernel), -1)
    return kernel.T if kernel.ndim == 2 else kernel.transpose(2, 3, 1, 0)


def _rows(ours, array):
    """Outputs without the background, or with it last."""
    if ours == "box_head.logits":
        return np.concatenate([array[1:], array[:1]])
    if ours == "box_head.deltas":
        return array[4:]
    return array[1:] if ours == "mask_head.logits" else array


def images(answers) -> np.ndarray:
    """The photographs, resized and normalised as torchvision does it, (B, H, W, 3)."""
    batch = np.zeros(answers["input/nhwc/shape"], "float32")
    for row, photo, (height, width) in zip(batch, photos(), answers["input/sizes"], strict=True):
        image = photo.astype("float32") / 255
        image = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        row[:height, :width] = tf.image.resize(image, (height, width))
    return batch


def photos() -> list[np.ndarray]:
    """The photographs as they are, RGB bytes."""
    import skimage.data

    names = json.loads(shared_path(f"parity/{CASE}/state.json").read_text())["photos"]
    return [getattr(skimage.data, name)() for name in names]


def targets(answers) -> dict[str, tf.Tensor]:
    """The truth of the training step as one batch: theirs resizes masks to the nearest pixel."""
    draw = seeded().targets
    rows = []
    for number, (photo, size) in enumerate(zip(photos(), answers["input/sizes"], strict=True)):
        height, width = photo.shape[:2]
        boxes, labels, masks = draw(height, width, 10 + number, NUM_CLASSES + 1)
        scale = size / (height, width)
        y = np.floor(np.arange(size[0]) * (height / size[0])).astype(int)
        x = np.floor(np.arange(size[1]) * (width / size[1])).astype(int)
        whole = (0, 0, int(size[1]), int(size[0]))
        packed = pack_masks([(whole, mask[np.ix_(y, x)]) for mask in masks])
        rows.append((boxes * np.tile(scale[::-1], 2), (labels - 1) % (NUM_CLASSES + 1), *packed))
    longest = max(len(row[2]) for row in rows)
    return {
        "boxes": tf.constant([row[0] for row in rows], tf.float32),
        "labels": tf.constant([row[1] for row in rows], tf.int32),
        "crowd": tf.zeros([len(rows), len(rows[0][1])], tf.bool),
        "mask_bytes": tf.constant([np.pad(row[2], (0, longest - len(row[2]))) for row in rows]),
        "mask_windows": tf.constant([row[3] for row in rows]),
        "mask_offsets": tf.constant([row[4] for row in rows]),
        "image_indices": tf.range(len(rows)),
    }
