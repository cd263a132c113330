"""One case on our network: built from the reference's weights, run once, asked by every stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from unittest import mock

import numpy as np
import tensorflow as tf

from kmaskrcnn.data import resizing
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.ops import library
from kmaskrcnn.weights.naming import states
from tests.parity.case import Case
from tests.parity.orders import ORDERS, Order


class Run:
    """What the stages compare.

    Args:
        case: the reference's side.
        weights: its parameters, where they are drawn already.
        changes: fields of the config to set otherwise; a broken convention is to be noticed.
    """

    def __init__(self, case: Case, weights: dict[str, np.ndarray] | None = None, **changes: Any):
        self.case, self.weights, self.changes = case, weights, changes
        self.step: Any = None  # of training, when it is made
        self.order: Order = ORDERS[case.settings.reference]

    @cached_property
    def model(self) -> MaskRCNN:
        """Our network with the reference's weights."""
        return self._built()

    @cached_property
    def training_model(self) -> MaskRCNN:
        """The same, or another where the reference trained with norms of fixed statistics."""
        config = self.model.config
        norms = ("norm", "fpn_norm", "head_norm")
        held = {name: "fixed_batch" for name in norms if getattr(config, name) == "batch"}
        return self._built(**held) if held else self.model

    def _built(self, **more: Any) -> MaskRCNN:
        settings = self.case.settings
        return MaskRCNN.from_preset(
            settings.preset,
            settings.class_names,
            weights=self.case.weights() if self.weights is None else self.weights,
            **{**settings.fields, **self.changes, **more},
        )

    @cached_property
    def trace(self) -> dict[str, np.ndarray]:
        """Every stage of the forward pass, the box branch on the reference's proposals."""
        with self._their_rounding():
            return self.model.trace(self.case.photos(), proposals=self.fed)

    @cached_property
    def detections(self) -> list:
        """What the user gets, an image each.

        `predict` pads each image for itself, the references pad a batch to its largest, and what
        lies beside an image reaches its border's features: several go the way of the trace.
        """
        with self._their_rounding():
            if self.num_images > 1:
                return self.model.trace(self.case.photos())["results"]
            return self.model.predict(self.case.photos())

    @contextmanager
    def _their_rounding(self) -> Iterator[None]:
        """matterport's resize as the scikit-image of the answers rounded it.

        It truncates, and where a value is whole but for the last bit of a float64, each version of
        scikit-image falls one lower at other pixels. `input/one_less_index` lists them.
        """
        lower = self.case.answers.get("input/one_less_index", np.zeros(0, int))
        resize = resizing.resize

        def rounded(*args, **options):
            found = resize(*args, **options)
            image = found.image.copy()
            image.reshape(-1)[lower] -= 1
            return found._replace(image=image)

        with mock.patch.object(resizing, "resize", rounded if len(lower) else resize):
            yield

    @cached_property
    def inputs(self) -> dict[str, tf.Tensor]:
        """What the network takes: the batch of the trace, before it was normalised."""
        config = self.model.config
        images = self.trace["input/images"] * np.float32(config.pixel_std)
        return {
            "images": tf.constant(images + np.float32(config.pixel_mean)),
            "image_sizes": tf.constant(self.trace["input/sizes"], tf.float32),
        }

    def in_their_names(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Arrays of our parameters, by the reference's names and in its layouts."""
        return states.from_ours(arrays, self.model.config, self.case.settings.reference)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the way it was run makes a difference."""
        if self.model.config.sampling_ratio or library.selected() is not None:
            return ()
        return (
            "TensorFlow's own ops take 2×2 samples a bin where the reference takes as many as "
            "there are pixels: RoI features and what follows cannot be the same",
        )

    @property
    def num_images(self) -> int:
        return len(self.case.spec["photos"])

    @cached_property
    def fed(self) -> list[np.ndarray] | None:
        """The reference's proposals of each image (R, 4), x1 y1 x2 y2 in our network's frame."""
        answers = self.case.answers
        if "proposals/0" not in answers:
            return None
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
