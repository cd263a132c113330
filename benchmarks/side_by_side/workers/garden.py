"""TensorFlow's model garden, in a Python with `tf-models-official`, on random weights.

Its Mask R-CNN has batch norms everywhere and a box head of four convolutions and one dense layer,
as torchvision's second version, whose network ours runs on its seeded weights: the same layers, but
not the same detections.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import worker

THREADS = 2
NUM_CLASSES = 91  # with the background
SEED = 1
PEAKED = 30.0  # on the logits' weights of a new network, so that some classes pass the threshold
SCHEDULE = {"learning_rate": 1e-9, "momentum": 0.9}  # weights stay: equal steps


def framework() -> Mapping[str, str]:
    """TensorFlow and Keras 2, on two threads."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    float(tf.reduce_sum(tf.ones([4, 4]) @ tf.ones([4, 4])))
    names = {"tensorflow": tf.__version__, "tf-keras": tf_keras.__version__}
    return {**names, "tf-models-official": version("tf-models-official")}


def make_task(height: int, width: int):
    """The experiment that the garden publishes and its model, for inputs of that size.

    Frozen are the stem, the first stage and, as everywhere here, the norms: they use what they
    averaged and learn nothing.
    """
    import tf_keras
    from official.vision.configs.maskrcnn import maskrcnn_resnetfpn_coco
    from official.vision.tasks.maskrcnn import MaskRCNNTask

    tf_keras.utils.set_random_seed(SEED)
    config = maskrcnn_resnetfpn_coco().task
    config.model.input_size = [height, width, 3]
    config.model.num_classes = NUM_CLASSES
    config.model.rpn_head.num_convs = 2
    config.model.norm_activation.use_sync_bn = False
    task = MaskRCNNTask(config)
    model = task.build_model()
    for weight in model.detection_head[0].weights:
        if "detection-scores" in weight.name:
            weight.assign(PEAKED * weight)
    freeze(model)
    return task, model


def freeze(model) -> None:
    """The stem, the first stage and the norms."""
    import tf_keras

    for layer in model.backbone.layers:
        layer.trainable = False
        if layer.name == "block_group_l2":
            break
    for part in model.submodules:
        if isinstance(part, tf_keras.layers.BatchNormalization):
            part.trainable = False


def make_predict(folder: Path) -> worker.Case:
    """One photograph in memory to full-size binary masks, by an input of 832×1088."""
    return predictor(np.load(folder / "photo.npy")[None])


def make_predict_batch8(folder: Path) -> worker.Case:
    """Eight photographs of 512×512 together."""
    return predictor(np.load(folder / "photos_512.npy"))


def predictor(photos: np.ndarray) -> worker.Case:
    """Arrays (B, H, W, 3) uint8 to its detections, with their masks pasted by its evaluation."""
    import tensorflow as tf
    from official.vision.ops import preprocess_ops
    from official.vision.ops.mask_ops import paste_instance_masks

    size = photos.shape[1:3]
    padded = preprocess_ops.compute_padded_size(size, 64)
    _, model = make_task(*padded)

    @tf.function
    def detect(photos):
        images = [preprocess_ops.normalize_image(photo) for photo in tf.unstack(photos)]
        resized = [preprocess_ops.resize_and_crop_image(image, size, padded) for image in images]
        images, info = map(tf.stack, zip(*resized, strict=True))
        return model(images, image_shape=info[:, 1, :], training=False)

    def predict() -> worker.Answer:
        found = {name: value.numpy() for name, value in detect(photos).items() if "det" in name}
        masks = [
            paste_instance_masks(of_image, as_xywh(boxes), *size) > 0
            for of_image, boxes in zip(
                found["detection_masks"], found["detection_boxes"], strict=True
            )
        ]
        return {
            "detections": int((found["detection_scores"] > 0).sum()),
            "mask_pixels": sum(int(np.count_nonzero(mask)) for mask in masks),
        }

    return predict


def as_xywh(boxes: np.ndarray) -> np.ndarray:
    """Boxes (…, 4) y1 x1 y2 x2 as x y width height."""
    corner = boxes[..., 1::-1]
    return np.concatenate([corner, boxes[..., :1:-1] - corner], axis=-1)


def make_train_512(folder: Path) -> worker.Case:
    """A training step by SGD on a batch of two, with 512 RoIs an image."""
    import tensorflow as tf
    import tf_keras

    task, model = make_task(512, 512)
    images, labels = training_batch(folder / "train_512.npz")
    optimizer = tf_keras.optimizers.SGD(**SCHEDULE)
    traced = tf.function(lambda: task.train_step((images, labels), model, optimizer)[task.loss])
    return lambda: {"loss": float(traced())}


def training_batch(path: Path):
    """Two images and what its parser makes of their truth, the targets of the anchors too."""
    import tensorflow as tf
    from official.vision.dataloaders.maskrcnn_input import Parser

    with np.load(path) as arrays:
        truth = dict(arrays)
    objects, size = truth["labels"].shape[1], truth["images"].shape[1:3]
    boxes = truth["boxes"][..., [1, 0, 3, 2]] / np.float32(size * 2)
    anchors = {"num_scales": 1, "aspect_ratios": [0.5, 1.0, 2.0], "anchor_size": 8.0}
    parser = Parser(size, 2, 6, **anchors, max_num_instances=objects, include_mask=True)
    parsed = [
        parser.parse_fn(True)(
            {
                "image": tf.constant(truth["images"][i]),
                "groundtruth_classes": tf.constant(truth["labels"][i], tf.int64),
                "groundtruth_boxes": tf.constant(boxes[i]),
                "groundtruth_instance_masks": tf.constant(truth["masks"][i], tf.float32),
                "groundtruth_is_crowd": tf.zeros(objects, bool),
            }
        )
        for i in range(len(truth["images"]))
    ]
    return tf.nest.map_structure(lambda *values: tf.stack(values), *parsed)


if __name__ == "__main__":
    worker.serve(
        {
            "predict_garden": make_predict,
            "predict_batch8_garden": make_predict_batch8,
            "train_512_garden": make_train_512,
        },
        framework,
    )
