"""A function of the user's between a dataset and whoever reads it."""

from __future__ import annotations

from collections.abc import Callable

from kmaskrcnn.data.compose.derived import Derived, described
from kmaskrcnn.data.dataset import Dataset, Sample, get_sample
from kmaskrcnn.data.errors import DataError


class Mapped(Derived):
    """A dataset whose samples a function changes; what it counts may change with them.

    Attributes:
        dataset: the one with the former samples.
        function: from a sample to another.
        description: what it is, in a line.
    """

    PASSED_ON = (
        "category_ids",
        "report",
        "keypoint_names",
        "keypoint_skeleton",
        "repeats",
        "frequencies",
        "image_ids",
    )

    def __init__(self, dataset: Dataset, function: Callable[[Sample], Sample]) -> None:
        """Describes it; nothing is read."""
        super().__init__(dataset)
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)
        self.description = f"{self.name} of: {described(dataset)}"

    def __getitem__(self, index: int, /) -> Sample:
        sample = get_sample(self.dataset, index)
        try:
            changed = self.function(sample)
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"{sample.name}: {self.name} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(changed, Sample):
            raise DataError(
                f"{sample.name}: {self.name} returned {type(changed).__name__}, expected a "
                "kmaskrcnn.data.Sample, as dataclasses.replace(sample, …) makes."
            )
        return changed


def map(dataset: Dataset, function: Callable[[Sample], Sample]) -> Dataset:
    """``dataset`` with every sample changed by a function, each time it is read.

    The function gets a sample whose image is still a path, as a rule, and must give the same for
    the same, from several threads: chance belongs into an augmentation (see ``OwnPolicy``).

    Args:
        dataset: any; its class names stay.
        function: such as ``lambda sample: dataclasses.replace(sample, instances=[…])``.

    Raises:
        DataError: when a sample is read: the function failed, or gave something else.
    """
    return Mapped(dataset, function)
