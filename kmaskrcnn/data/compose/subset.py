"""Some of a dataset's images."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

import numpy as np

from kmaskrcnn.data.compose.derived import Derived, described
from kmaskrcnn.data.dataset import Dataset, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.lookups import labels_of, labels_of_image, size_of_image


class Subset(Derived):
    """Images of a dataset by their indices; classes, ids, keypoints and report are the dataset's.

    Attributes:
        dataset: the whole.
        indices: of the images in it, in the order of this part.
        description: what it is, in a line.
    """

    PASSED_ON = ("category_ids", "report", "keypoint_names", "keypoint_skeleton", "frequencies")

    def __init__(
        self,
        dataset: Dataset,
        indices: Iterable[int],
        description: str | None = None,
        labels: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """Describes the part; nothing is read.

        Args:
            dataset: the whole.
            indices: 0 … ``len(dataset)`` − 1, in the order wanted.
            description: None: how many images of what.
            labels: of the objects of each image of the part, where they are known already.

        Raises:
            DataError: an index that the dataset does not have.
        """
        super().__init__(dataset)
        self.indices = tuple(operator.index(index) for index in indices)
        wrong = [index for index in self.indices if not 0 <= index < len(dataset)]
        if wrong:
            raise DataError(
                f"index {wrong[0]} of a subset: the dataset has the images 0 … {len(dataset) - 1}."
            )
        self.description = (
            description or f"{len(self)} of {len(dataset)} images of: {described(dataset)}"
        )
        self._labels = labels

    @property
    def repeats(self) -> np.ndarray:
        """How often each image is seen in an epoch, where the dataset says so."""
        return np.asarray(self.dataset.repeats)[list(self.indices)]  # type: ignore[attr-defined]

    @property
    def image_ids(self) -> list[int | str]:
        """The id of each image, where the dataset knows them."""
        ids = self.dataset.image_ids  # type: ignore[attr-defined]
        return [ids[index] for index in self.indices]

    def class_counts(self) -> list[int]:
        """Objects of each class in this part."""
        if self._labels is None:
            self._labels = labels_of(self)
        counts = [0] * len(self.class_names)
        for labels in self._labels:
            for label in labels:
                counts[label] += 1
        return counts

    def image_labels(self, index: int) -> list[int]:
        """The labels of an image's objects."""
        return labels_of_image(self.dataset, self.indices[index])

    def image_size(self, index: int) -> tuple[int, int]:
        """The (height, width) of an image."""
        return size_of_image(self.dataset, self.indices[index])

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int, /) -> Sample:
        return self.dataset[self.indices[index]]
