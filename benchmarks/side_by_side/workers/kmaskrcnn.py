"""Ours, in 32 bits and in bfloat16, through what users call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import worker
from benchmarks.side_by_side.workers.kmaskrcnn_operations import OPERATIONS

THREADS = 2
NETWORKS = {  # whose → preset, seeded weights, fields of the config
    "torchvision": ("torchvision/maskrcnn_resnet50_fpn", "weights.npz", {}),
    "matterport": (
        "matterport/mask_rcnn_resnet50",
        "matterport_weights.npz",
        {"score_threshold": 0.0, "freeze_at": "C2"},
    ),
    "garden": (
        "torchvision/maskrcnn_resnet50_fpn_v2",
        "garden_weights.npz",
        {"size_divisor": 64, **dict.fromkeys(("norm", "fpn_norm", "head_norm"), "fixed_batch")},
    ),
}
RATE = 1e-9  # weights stay: equal steps


def framework() -> Mapping[str, str]:
    """TensorFlow and Keras, on two threads."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    import keras

    float(tf.reduce_sum(tf.ones([4, 4]) @ tf.ones([4, 4])))
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def make_model(
    folder: Path, dtype: str | None = None, network: str = "torchvision", **config: object
):
    """The seeded model.

    Args:
        folder: of the inputs.
        dtype: the policy of its precision.
        network: one of `NETWORKS`.
        **config: fields of `MaskRCNNConfig`.
    """
    import kmaskrcnn

    preset, file, fields = NETWORKS[network]
    with np.load(folder / file) as weights:
        return kmaskrcnn.MaskRCNN.from_preset(
            preset, weights=dict(weights), dtype=dtype, **{**fields, **config}
        )


def make_predict(folder: Path, **options: object) -> worker.Case:
    """One photograph in memory to full-size binary masks; options are those of `make_model`."""
    return predictor(make_model(folder, **options), np.load(folder / "photo.npy")[None])


def make_predict_batch8(folder: Path, **options: object) -> worker.Case:
    """Eight photographs of 512×512 together."""
    photos = np.load(folder / "photos_512.npy")
    return predictor(make_model(folder, min_size=512, max_size=512, **options), photos)


def predictor(model, photos: np.ndarray) -> worker.Case:
    """Arrays (B, H, W, 3) uint8 to `Detections` with their masks pasted."""

    def predict() -> worker.Answer:
        found = model.predict(photos, batch_size=len(photos))
        masks = [one.masks for one in found]
        return {
            "detections": sum(len(one) for one in found),
            "mask_pixels": sum(int(np.count_nonzero(mask)) for mask in masks),
        }

    return predict


def make_training(folder: Path, case: str, **options: object):
    """A training step of the default optimizer on a batch of two, with 512 RoIs an image."""
    import tensorflow as tf

    from kmaskrcnn import training

    model = make_model(folder, **options)
    model.compile(training.default_optimizer(model.config, 100, 2, RATE))
    model.optimizer.build(model.trainable_variables)
    batch = training_batch(folder / f"{case}.npz", model)
    traced = tf.function(model.train_step)

    def step() -> worker.Answer:
        model.reset_metrics()
        return {"loss": float(traced(batch)["loss"])}

    return step


make_train_512 = partial(make_training, case="train_512", min_size=512, max_size=512)


def training_batch(path: Path, model):
    """Two images and their padded truth, as the model is trained on them."""
    from kmaskrcnn import data

    with np.load(path) as truth:
        dataset = data.from_arrays(
            truth["images"],
            truth["labels"] - 1,
            model.class_names,
            masks=truth["masks"],
            boxes=truth["boxes"],
        )
    return next(iter(data.batches(dataset, model.input_size, data.Order(2))))


def in_both_precisions(makers: Mapping[str, worker.Maker]) -> dict[str, worker.Maker]:
    """Each case a second time under its name with `_bf16`."""
    half = {f"{name}_bf16": partial(make, dtype="mixed_bfloat16") for name, make in makers.items()}
    return {**makers, **half}


if __name__ == "__main__":
    rois = {"rois_per_image": 512, "roi_positive_fraction": 0.25}  # as all others take
    worker.serve(
        {
            **in_both_precisions(
                {
                    "predict": make_predict,
                    "predict_batch8": make_predict_batch8,
                    "train_512": make_train_512,
                    "train_800": partial(make_training, case="train_800"),
                    "predict_matterport": partial(make_predict, network="matterport"),
                    "predict_batch8_matterport": partial(make_predict_batch8, network="matterport"),
                    "train_512_matterport": partial(make_train_512, network="matterport", **rois),
                    "predict_garden": partial(make_predict, network="garden"),
                    "predict_batch8_garden": partial(make_predict_batch8, network="garden"),
                    "train_512_garden": partial(make_train_512, network="garden"),
                }
            ),
            **OPERATIONS,
            "import": worker.program("import kmaskrcnn; kmaskrcnn.MaskRCNN"),
            "help": worker.program("from kmaskrcnn.cli import main; main()", "--help"),
            "first_prediction": worker.first("kmaskrcnn", "make_predict"),
            "first_training_step": worker.first("kmaskrcnn", "make_train_512"),
        },
        framework,
    )
