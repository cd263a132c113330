"""Our single operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.side_by_side import operands, worker


def make_roi_align(folder: Path) -> worker.Case:
    """The pooling layer forward, as torchvision's model uses it."""
    import tensorflow as tf

    features, pool = pooling()
    pool = tf.function(pool)

    def run() -> worker.Answer:
        return {"sum_of_a_roi": float(tf.reduce_sum(pool(features)[0]))}

    return run


def make_roi_align_gradient(folder: Path) -> worker.Case:
    """Its gradient of the features, for a gradient of ones; the forward pass is not repeated."""
    import tensorflow as tf

    features, pool = pooling()
    upstream = tf.ones([1000, 7, 7, operands.CHANNELS])

    @tf.function
    def gradient(features):
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = pool(features)
        return tape.gradient(pooled, features, upstream)

    def run() -> worker.Answer:
        return {"sum_of_a_level": float(tf.reduce_sum(gradient(features)["P5"]))}

    return run


def pooling():
    """Features, and a function that pools them."""
    import tensorflow as tf

    from kmaskrcnn.layers import RoIPooling

    layer = RoIPooling(7, operands.STRIDES, aligned=False, level_rule="torchvision")
    features = {f"P{2 + i}": tf.constant(level) for i, level in enumerate(operands.pyramid())}
    boxes, images = tf.constant(operands.boxes(1000)), tf.zeros(1000, tf.int32)
    return features, lambda features: layer(features, boxes, images)


def make_nms(folder: Path) -> worker.Case:
    """The detections' own: scores above 0.05, class by class, the best 100."""
    import tensorflow as tf

    from kmaskrcnn.ops.nms import class_nms

    boxes, scores = (tf.constant(array[None]) for array in operands.candidates())
    limits = {"score_threshold": 0.05, "iou_threshold": 0.5, "max_outputs": 100}
    suppress = tf.function(lambda boxes, scores: class_nms(boxes, scores, **limits))

    def run() -> worker.Answer:
        _, kept, _, count = suppress(boxes[:, :, None], scores)
        return {"kept": int(count[0]), "scores": float(tf.reduce_sum(kept))}

    return run


def make_paste(folder: Path) -> worker.Case:
    """`Detections.masks`."""
    from kmaskrcnn import Detections

    boxes, masks = operands.masks()
    found = Detections(
        boxes,
        np.ones(len(boxes)),
        np.zeros(len(boxes), int),
        ("ellipse",),
        operands.SIZE,
        mask_probabilities=masks,
        mask_paste="torchvision",
    )
    return lambda: {"mask_pixels": int(np.count_nonzero(found.masks))}


def make_match_and_sample(folder: Path) -> worker.Case:
    """The targets of the RPN and of the heads."""
    import tensorflow as tf

    from benchmarks.side_by_side.workers.kmaskrcnn import make_model, training_batch
    from kmaskrcnn.tensors import Proposals

    model = make_model(folder)
    _, targets = training_batch(folder / "train_800.npz", model)
    with np.load(folder / "train_800.npz") as truth:  # without the step through the pipeline
        padding = targets["labels"].shape[1] - truth["boxes"].shape[1]
        targets["boxes"] = tf.constant(np.pad(truth["boxes"], [(0, 0), (0, padding), (0, 0)]))
    anchors = tf.concat(model.anchors(pooling()[0]), 0)
    boxes = tf.constant(operands.proposals())
    proposals = Proposals(boxes, tf.zeros(boxes.shape[:2]), tf.ones(boxes.shape[:2], tf.bool))

    @tf.function
    def sample(anchors, proposals, targets):
        wanted = model.anchor_sampler(anchors, targets, training=True)
        rois = model.box_branch.sampler(proposals, targets, training=True)
        return wanted, rois

    def run() -> worker.Answer:
        wanted, rois = sample(anchors, proposals, targets)
        positive = (rois.labels >= 0) & (rois.labels < len(model.class_names))
        return {
            "positive_anchors": int(tf.reduce_sum(tf.cast(wanted.labels == 1, tf.int32))),
            "positive_rois": int(tf.reduce_sum(tf.cast(positive, tf.int32))),
        }

    return run


def make_evaluate(folder: Path) -> worker.Case:
    """COCO's figures of masks, from two files."""
    from kmaskrcnn.data.formats.coco import CocoDataset
    from kmaskrcnn.evaluation import evaluate_coco

    def run() -> worker.Answer:
        truth = CocoDataset(folder / "truth.json", photographs=False)
        return {"mask_ap": evaluate_coco(truth, folder / "results.json")["mask/AP"]}

    return run


OPERATIONS = {
    "roi_align": make_roi_align,
    "roi_align_gradient": make_roi_align_gradient,
    "nms": make_nms,
    "paste": make_paste,
    "match_and_sample": make_match_and_sample,
    "evaluate": make_evaluate,
}
