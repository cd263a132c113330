"""matterport/Mask_RCNN, in a Python with its TensorFlow 2 port (`mrcnn`) and TensorFlow 2.15.

Its network has conventions of its own, so it has seeded weights of its own, too, and ours does the
same cases on the same weights by the preset `matterport/mask_rcnn_resnet50`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from benchmarks.side_by_side import worker

THREADS = 2
RATE = 1e-9  # weights stay: equal steps
FROM_STAGE_3 = r"(res[345]|bn[345]|mrcnn_|rpn_|fpn_).*"  # its "3+": stem and first stage frozen


def framework() -> Mapping[str, str]:
    """TensorFlow, on two threads; the port opens a session of its own, which asks for them here."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(THREADS)
    import tensorflow as tf

    float(tf.reduce_sum(tf.ones([4, 4]) @ tf.ones([4, 4])))
    return {"tensorflow": tf.__version__, "numpy": np.__version__}


def make_model(folder: Path, mode: str, **options: object):
    """The seeded model; what of the configuration is not given is upstream's.

    Args:
        folder: of the inputs.
        mode: "inference" or "training".
        **options: attributes of its `Config`.
    """
    from mrcnn.config import Config
    from mrcnn.model import MaskRCNN

    with np.load(folder / "matterport_weights.npz") as weights:
        arrays = dict(weights)
    fields = {
        "NAME": "side_by_side",
        "BACKBONE": "resnet50",
        "NUM_CLASSES": len(arrays["mrcnn_mask/mrcnn_mask/bias:0"]),
        "DETECTION_MIN_CONFIDENCE": 0.0,
        "DETECTION_MAX_INSTANCES": 100,
        "USE_MINI_MASK": False,
        **options,
    }
    model = MaskRCNN(mode, type("Seeded", (Config,), fields)(), gettempdir())
    for layer in model.keras_model.layers:
        if layer.weights and layer.name != "anchors":  # in training a variable, too
            layer.set_weights([arrays[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    return model


def make_predict(folder: Path) -> worker.Case:
    """One photograph in memory to full-size binary masks, by a square of 1024."""
    model = make_model(folder, "inference", IMAGES_PER_GPU=1, IMAGE_MIN_DIM=800, IMAGE_MAX_DIM=1024)
    return predictor(model, np.load(folder / "photo.npy")[None])


def make_predict_batch8(folder: Path) -> worker.Case:
    """Eight photographs of 512×512 together."""
    model = make_model(folder, "inference", IMAGES_PER_GPU=8, IMAGE_MIN_DIM=512, IMAGE_MAX_DIM=512)
    return predictor(model, np.load(folder / "photos_512.npy"))


def predictor(model, photos: np.ndarray) -> worker.Case:
    """Arrays (B, H, W, 3) uint8 to what `detect` gives."""

    def predict() -> worker.Answer:
        found = model.detect(list(photos))
        return {
            "detections": sum(len(one["scores"]) for one in found),
            "mask_pixels": sum(int(np.count_nonzero(one["masks"])) for one in found),
        }

    return predict


def make_train_512(folder: Path) -> worker.Case:
    """A training step on a batch of two, with 512 RoIs an image, a quarter of them positive."""
    from mrcnn.model import DataGenerator

    options = {"IMAGES_PER_GPU": 2, "IMAGE_MIN_DIM": 512, "IMAGE_MAX_DIM": 512}
    rois = {"TRAIN_ROIS_PER_IMAGE": 512, "ROI_POSITIVE_RATIO": 0.25, "MAX_GT_INSTANCES": 20}
    model = make_model(folder, "training", **options, **rois)
    model.set_trainable(FROM_STAGE_3, verbose=0)
    model.compile(RATE, model.config.LEARNING_MOMENTUM)
    dataset = truth_of(folder / "train_512.npz", model.config.NUM_CLASSES)
    inputs, outputs = DataGenerator(dataset, model.config, shuffle=False)[0]

    def step() -> worker.Answer:
        return {"loss": model.keras_model.train_on_batch(inputs, outputs)[0]}

    return step


def truth_of(path: Path, num_classes: int):
    """Two images and their truth as its `Dataset`."""
    from mrcnn.utils import Dataset

    with np.load(path) as arrays:
        truth = dict(arrays)

    class Truth(Dataset):
        def load_image(self, image_id):
            return truth["images"][image_id]

        def load_mask(self, image_id):
            return truth["masks"][image_id].transpose(1, 2, 0), truth["labels"][image_id]

    dataset = Truth()
    for number in range(1, num_classes):
        dataset.add_class("seeded", number, str(number))
    for number in range(len(truth["images"])):
        dataset.add_image("seeded", number, None)
    dataset.prepare()
    return dataset


if __name__ == "__main__":
    worker.serve(
        {
            "predict_matterport": make_predict,
            "predict_batch8_matterport": make_predict_batch8,
            "train_512_matterport": make_train_512,
            "import": worker.program("import mrcnn.model"),
        },
        framework,
    )
