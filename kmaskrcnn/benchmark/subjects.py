"""The two kinds of work that are measured, each as a function of the number of images."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn import data, training
from kmaskrcnn.backbones import Backbone, build_backbone
from kmaskrcnn.benchmark.plan import Plan
from kmaskrcnn.classes import by_count
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.precision import policy

NUM_CLASSES = 80  # COCO's
MOST_SHAPES = 20  # drawn on a training image

Work = Callable[[int], int]  # takes the number of images, gives the objects on the first of them


def new_model(plan: Plan, precision: str) -> MaskRCNN:
    """The network from random weights, whose features are as large as a trained network's."""
    model = MaskRCNN(plan.config, by_count(NUM_CLASSES), dtype=policy(precision))
    if plan.config.norm.endswith("batch"):
        image = photograph(plan).astype(np.float32)
        settle(model.backbone, (image - plan.config.pixel_mean) / plan.config.pixel_std)
    return model


def settle(backbone: Backbone, image: np.ndarray, side: int = 128) -> None:
    """New random kernels, and the statistics that their features have in the batch norms.

    With means of 0 and variances of 1, as batch norms start, features grow or vanish from layer to
    layer until 16 bits overflow or all anchors score the same, and times are no network's.

    Args:
        backbone: with batch norms of any kind; is changed.
        image: (H, W, 3) as the backbone sees it.
        side: pixels of it that are looked at.
    """
    twin = build_backbone(**{**backbone.recipe, "norm": "batch"})
    for layer in twin.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # the statistics of this one image
    rows, columns = (np.arange(side) % length for length in image.shape[:2])
    twin(image[None, rows][:, :, columns].astype(np.float32), training=True)
    for ours, theirs in zip(backbone.layers, twin.layers, strict=True):
        ours.set_weights(theirs.get_weights())


def photograph(plan: Plan) -> np.ndarray:
    """(H, W, 3) uint8: drawn shapes on a textured ground."""
    return _shapes(plan)[0].read()


def prediction(plan: Plan, precision: str) -> Work:
    """From an array in memory to full-size masks: `MaskRCNN.predict`, and the masks of each."""
    model, image = new_model(plan, precision), photograph(plan)

    def predict(images: int) -> int:
        found = model.predict([image] * images, batch_size=images)
        return max(len(result.masks) if result.has_masks else len(result) for result in found)

    return predict


def training_step(plan: Plan, precision: str) -> Work:
    """Forward, backward and the optimizer's step on a batch that is in memory already."""
    model = new_model(plan, precision)
    model.compile(training.default_optimizer(model.config, 1000, 2, None))
    model.optimizer.build(model.trainable_variables)
    pairs = data.batches(_shapes(plan), model.input_size, data.Order(1))
    signature = [pairs.element_spec]
    step = tf.function(model.train_step, input_signature=signature, autograph=False)
    batch = next(iter(pairs))

    def train(images: int) -> int:
        copies = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, images, 0), batch)
        float(step(copies)["loss"])  # waits for it
        return int(tf.reduce_sum(tf.cast(batch[1]["labels"] >= 0, tf.int32)))

    return train


SUBJECTS: dict[str, Callable[[Plan, str], Work]] = {
    "predict": prediction,
    "train": training_step,
}


def _shapes(plan: Plan) -> data.ShapesDataset:
    height, width = (max(side, 32) for side in plan.photograph)
    return data.ShapesDataset(
        1, image_size=(height, width), max_objects=MOST_SHAPES, empty_share=0.0
    )
