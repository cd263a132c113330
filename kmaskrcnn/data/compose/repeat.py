"""Images with rare classes, seen more often (LVIS: Gupta et al. 2019, arXiv:1908.03195)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.data.compose.derived import Derived, described
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.lookups import labels_of


class Repeated(Derived):
    """A dataset of which a training sees some images more often; else it is the same.

    Attributes:
        dataset: the plain one.
        repeats: (images,) float64, 1 and more: how often each is seen in an epoch, on average.
        description: what it is, in a line.
    """

    PASSED_ON = (
        *("category_ids", "report", "keypoint_names", "keypoint_skeleton", "class_counts"),
        *("image_ids", "image_labels", "image_size", "frequencies"),
    )

    def __init__(self, dataset: Dataset, repeats: np.ndarray, description: str) -> None:
        """Describes it; nothing is read."""
        super().__init__(dataset)
        self.repeats = repeats
        self.description = description


def repeat_factor(dataset: Dataset, threshold: float = 0.001) -> Dataset:
    """``dataset`` with a factor for each image, by which a training sees it more often.

    A class c on a share f(c) of the images gets r(c) = max(1, √(threshold / f(c))), an image the
    largest factor of its classes. A shuffled epoch shows each image ⌊r⌋ times and, as chance by
    seed and epoch will have it, once more; its length is the sum of all factors. Evaluation and
    whatever does not shuffle see every image once.

    Args:
        dataset: any; the samples' labels are read.
        threshold: the share of images below which a class counts as rare; 0.001 for LVIS.

    Raises:
        ValueError: a threshold that is not between 0 and 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(
            f"threshold={threshold}: expected the share of images below which a class is rare, "
            "above 0 and at most 1, such as 0.001."
        )
    repeats = repeat_factors(labels_of(dataset), len(dataset.class_names), threshold)
    text = f"{described(dataset)}, rare classes repeated to {repeats.sum():.0f} images an epoch"
    return Repeated(dataset, repeats, text)


def repeat_factors(
    labels: Sequence[Sequence[int]], num_classes: int, threshold: float
) -> np.ndarray:
    """The factor (N,) of each image, 1 or more, from the labels of its objects; see above."""
    classes = [sorted(set(row)) for row in labels]
    images = np.bincount([c for row in classes for c in row], minlength=num_classes)
    frequencies = np.maximum(images, 1) / max(len(labels), 1)
    factors = np.maximum(1.0, np.sqrt(threshold / frequencies))
    return np.array([max(factors[row], default=1.0) for row in classes])
