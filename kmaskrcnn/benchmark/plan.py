"""What a benchmark is to measure, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.precision import PRECISIONS
from kmaskrcnn.presets import preset

WORK = ("predict", "train")
SHARE_OF_MEMORY = 0.8  # of what is free: the rest is for whatever else runs


@dataclass(frozen=True)
class Plan:
    """A network, the precisions and batches that it is measured with, and the limits.

    Args:
        preset: the network and its settings.
        fields: of its config that differ from the preset's, as ``{"min_size": 512}``.
        precisions: of `precision.PRECISIONS`; the 16 bits are Keras' mixed policies.
        batch_sizes: images at a time whose speed is measured.
        time_limit: seconds for everything together.
        memory_limit: bytes that one process may take; None: `SHARE_OF_MEMORY` of what is free.
        search: whether the largest batch that fits is looked for.
    """

    preset: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    precisions: tuple[str, ...] = PRECISIONS
    batch_sizes: tuple[int, ...] = (1, 2, 4, 8)
    time_limit: float = 240.0
    memory_limit: float | None = None
    search: bool = True

    @property
    def config(self) -> MaskRCNNConfig:
        """The network's, with a threshold that lets every detection pass.

        Random weights find nothing; so the least score is 0, and the masks of as many objects as
        the config allows are computed and pasted.
        """
        return preset(self.preset, **{**self.fields, "score_threshold": 0.0})

    @property
    def photograph(self) -> tuple[int, int]:
        """(height, width) of the images: 3:4, of the size at which the network sees them."""
        side, longest = self.config.min_size, self.config.max_size
        return side, min(side * 4 // 3, longest)
