"""One case on our network: built from the reference's weights, run once, asked by every stage."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from kmaskrcnn.model import MaskRCNN
from tests.parity.case import Case
from tests.parity.orders import ORDERS, Order


class Run:
    """What the stages compare.

    Args:
        case: the reference's side.
        changes: fields of the config to set otherwise; a broken convention is to be noticed.
    """

    def __init__(self, case: Case, **changes: Any):
        self.case, self.changes = case, changes
        self.order: Order = ORDERS[case.settings.reference]

    @cached_property
    def model(self) -> MaskRCNN:
        """Our network with the reference's weights."""
        settings = self.case.settings
        return MaskRCNN.from_preset(
            settings.preset,
            settings.class_names,
            weights=self.case.weights(),
            **{**settings.fields, **self.changes},
        )

    @cached_property
    def trace(self) -> dict[str, np.ndarray]:
        """Every stage of the forward pass, the box branch on the reference's proposals."""
        return self.model.trace(self.case.photos(), proposals=self.fed)

    @cached_property
    def detections(self) -> list:
        """What the user gets, an image each."""
        return self.model.predict(self.case.photos())

    @property
    def num_images(self) -> int:
        return len(self.case.spec["photos"])

    @property
    def fed(self) -> list[np.ndarray]:
        """The reference's proposals of each image (R, 4), x1 y1 x2 y2 in our network's frame."""
        answers = self.case.answers
        if self.order.normalised:
            keys = [f"proposals/{i}/normalised_yxyx" for i in range(self.num_images)]
            return [answers[key][:, [1, 0, 3, 2]] for key in keys]
        return [answers[f"proposals/{i}"] for i in range(self.num_images)]

    def fed_rows(self, array: np.ndarray) -> np.ndarray:
        """(B·R, …) of the box branch without the rows that pad an image's proposals."""
        counts = [len(boxes) for boxes in self.fed]
        if len(set(counts)) == 1:
            return array
        padded = len(array) // len(counts)
        return np.concatenate(
            [array[i * padded : i * padded + count] for i, count in enumerate(counts)]
        )

    @property
    def level_names(self) -> list[str]:
        """The feature levels, finest first."""
        names = [name.split("/")[1] for name in self.trace if name.startswith("anchors/")]
        return sorted(names)

    def levels(self, what: str) -> list[np.ndarray]:
        """A stage's arrays of all levels."""
        return [self.trace[f"{what}/{name}"] for name in self.level_names]

    @property
    def input_shape(self) -> tuple[int, int]:
        """Height and width of the padded batch."""
        height, width = self.trace["input/images"].shape[1:3]
        return int(height), int(width)
