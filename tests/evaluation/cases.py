"""Small datasets of squares, and predictions of them, for figures that can be counted by hand."""

import numpy as np

from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.structures import Detections

SIZE = (80, 90)
NAMES = ("deer", "otter", "tiger")


class Listed:
    """A dataset of given samples."""

    def __init__(self, samples, class_names=NAMES):
        self.samples, self.class_names = list(samples), tuple(class_names)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


def square(label, left, top, side=20, **rest):
    corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
    return Instance(label, [np.array(corners, float)], **rest)


def dataset_of(*images):
    """A dataset of images of `SIZE`, each a list of instances."""
    return Listed([Sample(f"{i}.png", found, i, SIZE) for i, found in enumerate(images)])


def found(*rows, **changes):
    """Detections of rows (label, score, left, top[, side]): squares that fill their boxes."""
    boxes = [[left, top, left + s, top + s] for _, _, left, top, s in (_full(r) for r in rows)]
    fields = {
        "boxes": np.array(boxes, np.float32).reshape(-1, 4),
        "scores": [row[1] for row in rows],
        "labels": np.array([row[0] for row in rows], int),
        "class_names": NAMES,
        "image_size": SIZE,
        "mask_probabilities": np.ones((len(rows), 28, 28)),
    }
    return Detections(**fields | changes)


def _full(row):
    return (*row, 20) if len(row) == 4 else row


def crowded(seed=0, images=6):
    """Random squares that overlap, with crowds, and what a poor model finds of them."""
    rng = np.random.default_rng(seed)
    samples, predictions = [], []
    for index in range(images):
        places = rng.integers(0, 50, (rng.integers(0, 9), 2))
        labels = rng.integers(0, 3, len(places))
        crowds = rng.random(len(places)) < 0.15
        there = [
            square(int(label), *map(int, place), crowd=bool(crowd))
            for label, place, crowd in zip(labels, places, crowds, strict=True)
        ]
        samples.append(Sample(f"{index}.png", there, index, SIZE))
        rows = [
            (int(label) if rng.random() < 0.8 else int(rng.integers(0, 3)), score, x, y)
            for label, (x, y), score in zip(
                np.repeat(labels, 2),
                np.repeat(places, 2, axis=0) + rng.integers(-6, 7, (2 * len(places), 2)),
                rng.permutation(40)[: 2 * len(places)] / 40 + 0.01,
                strict=True,
            )
        ]
        kept = [row for row in rows if rng.random() < 0.8]
        predictions.append((index, inside(found(*kept))))
    return Listed(samples), predictions


def inside(detections):
    """The same with boxes cut at the image's border."""
    limit = np.tile(SIZE[::-1], 2)
    return detections.replaced(boxes=np.clip(detections.boxes, 0, limit))
