"""The cases: what is measured, and how often first without looking at the clock."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """What all contestants do."""

    title: str
    warm: int = 1  # runs before the first that counts: tracing, laying out memory, filling caches


CASES = {
    "product": Case("One matrix product of 4096×4096: the machine's own rate", 2),
    "predict": Case(
        "One photograph of 800×1088: from an array to the full-size binary masks of 100 detections",
        2,
    ),
    "predict_batch8": Case("Eight photographs of 512×512 in one batch, the same way"),
    "train_512": Case(
        "A training step: two photographs of 512×512, 20 objects and 512 RoIs each, stem and first "
        "stage frozen"
    ),
    "train_800": Case("A training step of two photographs of 800×1088"),
    "predict_matterport": Case(
        "The same photograph through matterport's network, in a square of 1024×1024", 2
    ),
    "predict_batch8_matterport": Case("Eight photographs of 512×512 through matterport's network"),
    "train_512_matterport": Case(
        "A training step of matterport's network: two of 512×512, 20 objects and 512 RoIs each, "
        "stem and first stage frozen"
    ),
    "predict_garden": Case(
        "The same photograph through the model garden's network, padded to 832×1088", 2
    ),
    "predict_batch8_garden": Case(
        "Eight photographs of 512×512 through the model garden's network"
    ),
    "train_512_garden": Case(
        "A training step of the model garden's network: two of 512×512, 20 objects and 512 RoIs "
        "each, stem, first stage and norms frozen"
    ),
    "match_and_sample": Case(
        "Anchors of two photographs of 800×1088 and 2,000 proposals each, matched with 20 objects "
        "and sampled"
    ),
    "roi_align": Case("RoIAlign: 1,000 RoIs, 7×7, 256 channels, five levels", 2),
    "roi_align_gradient": Case("RoIAlign's gradient", 2),
    "nms": Case("Non-maximum suppression of 1,000 boxes of 80 classes", 2),
    "paste": Case("100 masks pasted into 800×1088", 2),
    "evaluate": Case("COCO's figures of masks: 200 images, 100 detections each"),
    "import": Case("A fresh process imports it"),
    "help": Case("A fresh process shows the help of the command line"),
    "first_prediction": Case(
        "A fresh process makes the model, loads the weights and predicts one photograph"
    ),
    "first_training_step": Case(
        "A fresh process makes the model, loads the weights and does a training step at 512×512"
    ),
}
