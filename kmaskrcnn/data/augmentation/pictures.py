"""What a model will see: images of a dataset as an augmentation draws them, epoch after epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.draw import Policy, as_policy, draw
from kmaskrcnn.data.augmentation.source import Drawn, Source
from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.input_size import InputSize
from kmaskrcnn.data.pictures import short_name
from kmaskrcnn.data.report import Report
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.regions import Region
from kmaskrcnn.ops.skeletons import Skeletons
from kmaskrcnn.ops.styles import AUTO, choose_style, legend_rows


def augmentation_sheet(
    dataset: Dataset,
    augmentation: Policy,
    input_size: InputSize,
    indices: Sequence[int],
    *,
    num_epochs: int = 3,
    seed: int = 0,
    cell_size: int = 320,
) -> np.ndarray:
    """A row an image: as it is, then as it is seen in the first epochs of a training.

    Masks, boxes and keypoints are those that the losses get, so what is wrong with them is seen
    here.

    Args:
        dataset: images and objects.
        augmentation: a policy, as ``fit`` takes it.
        input_size: of the network.
        indices: of the images.
        num_epochs: columns beside the plain one.
        seed: of the training; the pictures are those that it will see.
        cell_size: pixels of a picture's longer side.

    Returns: (H, W, 3) uint8 RGB.
    """
    source, policy = Source(dataset, input_size, Report()), as_policy(augmentation)
    pictures, captions = [], []
    for index in map(int, indices):
        plain = draw(source, index, Augmentation(), np.random.default_rng(0))
        seen = [
            draw(source, index, policy, np.random.default_rng([seed, epoch, index]))
            for epoch in range(num_epochs)
        ]
        pictures += [draw_truths(drawn, dataset) for drawn in (plain, *seen)]
        captions += [short_name(dataset[index]), *(f"epoch {1 + n}" for n in range(num_epochs))]
    height = max(-(-p.shape[0] * cell_size // max(p.shape[:2])) for p in pictures)
    return drawing.contact_sheet(
        pictures, captions, columns=1 + num_epochs, cell_size=(height, cell_size)
    )


def draw_truths(drawn: Drawn, dataset: Dataset) -> np.ndarray:
    """A training sample with its objects on it, (h, w, 3) uint8 RGB."""
    image, truths = drawn
    regions = [Region(*mask) for mask in truths.masks]
    texts = [
        dataset.class_names[label] + (" (crowd)" if crowd else "")
        for label, crowd in zip(truths.labels, truths.crowd, strict=True)
    ]
    style = choose_style(truths.labels, has_masks=True, color_by=AUTO, captions=AUTO)
    names = keypoint_names_of(dataset)
    bones = tuple(getattr(dataset, "keypoint_skeleton", ()))
    return drawing.draw_instances(
        image,
        truths.boxes,
        region_of=regions.__getitem__,
        captions=texts if style.captions else None,
        legend=legend_rows(texts, style.color_by) if style.legend else (),
        colors=drawing.colors_of(truths.labels, style.color_by),
        outline_boxes=style.boxes,
        skeletons=Skeletons(truths.keypoints, names, bones) if names else None,
    )
