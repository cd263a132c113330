"""Where training samples are drawn from: a dataset, and the size at which the network sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.cache import ImageCache
from kmaskrcnn.data.dataset import Dataset, Sample, get_sample, keypoint_names_of
from kmaskrcnn.data.encode import Truths, warp_truths
from kmaskrcnn.data.geometry import View, warp_box, warp_image
from kmaskrcnn.data.input_size import InputSize
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.resizing import Size


def size_of(image: np.ndarray) -> Size:
    """The height and width of an image (h, w, 3)."""
    return image.shape[0], image.shape[1]


class Drawn(NamedTuple):
    """A training sample as the network sees it: the image (h, w, 3) uint8, and its objects."""

    image: np.ndarray
    truths: Truths


@dataclass(frozen=True, eq=False)
class Source:
    """Samples of a dataset, read and warped.

    Attributes:
        dataset: samples by index; read from several threads.
        input_size: how large the network sees them.
        report: collects what is left out.
        cache: keeps images that are decoded, up to its limit.
    """

    dataset: Dataset
    input_size: InputSize
    report: Report
    cache: ImageCache = field(default_factory=ImageCache)

    def read(self, index: int) -> tuple[Sample, np.ndarray]:
        """A sample, and its image (H, W, 3) uint8 as it is in the file."""
        sample = get_sample(self.dataset, index)
        return sample, self.cache.read(sample)

    def usual_size(self, size: Size, share: float = 1.0) -> Size:
        """The size without augmentation; with ``share``, that of a smaller or larger short edge."""
        return self.input_size.of(size, share)

    def seen(
        self,
        sample: Sample,
        image: np.ndarray,
        view: View,
        fill: tuple[int, int, int] = (0, 0, 0),
    ) -> Drawn:
        """Image and objects through the view's one matrix.

        An object of which nothing is left is reported where the augmentation is not to blame: the
        whole image is seen, no smaller than without.
        """
        num_classes, names = len(self.dataset.class_names), keypoint_names_of(self.dataset)
        report = self.report if self._shows_all(view, size_of(image)) else Report()
        truths = warp_truths(sample, view, size_of(image), num_classes, report, names)
        return Drawn(warp_image(image, view, fill), truths)

    def _shows_all(self, view: View, size: Size) -> bool:
        left, top, right, bottom = warp_box(np.array([0, 0, size[1], size[0]]), view.matrix)
        height, width = view.size
        inside = min(left, top) > -0.5 and right < width + 0.5 and bottom < height + 0.5
        usual = np.prod(np.divide(self.usual_size(size), size))
        return bool(inside and abs(np.linalg.det(view.matrix[:, :2])) > 0.99 * usual)
