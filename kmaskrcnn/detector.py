"""Images in, detections out: the network with what a user hands over and gets back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kmaskrcnn import data, memory, tracing
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.evaluation import Evaluator
from kmaskrcnn.network import Network
from kmaskrcnn.results import to_detections
from kmaskrcnn.structures import Detections


class Detector(Network):
    """A `Network` that predicts images of any kind and size, and shows how it came to that."""

    def __init__(self, config: MaskRCNNConfig, class_names: Sequence[str], **options: Any):
        super().__init__(config, class_names, **options)
        self._detect_bytes = _for_any_size(self._detect, tf.uint8)
        self._detect_floats = _for_any_size(self._detect, tf.float32)

    def predict(self, x, *, batch_size: int = 1) -> list[Detections]:
        """What is in each image, in pixels of the original; always a list, one `Detections` each.

        Args:
            x: a path, a folder, an array (H, W[, 3]) or (B, H, W, 3), or a list of paths and
                arrays of any sizes.
            batch_size: images of equal padded shape that go through the network together.

        Raises:
            kmaskrcnn.data.DataError: not an image, or none found; names the file.
            OutOfMemoryError: names what to lower, with its values.
        """
        sources = data.image_sources(x)
        images = (data.read_image(source) for source in sources)
        with memory.clear_errors(batch_size=batch_size, **self._memory_knobs()):
            found = dict(self._predictions(images, batch_size))
        return [dataclasses.replace(found[i], image=source) for i, source in enumerate(sources)]

    @property
    def input_size(self) -> data.InputSize:
        """How large the network sees images, as the config says."""
        names = ("min_size", "max_size", "size_divisor", "resize", "canvas")
        return data.InputSize(**{name: getattr(self.config, name) for name in names})

    def _memory_knobs(self) -> dict[str, int]:
        """What the memory of predicting grows with, and can be lowered."""
        names = ("min_size", "max_size", "proposals_test", "detections_per_image")
        return {name: getattr(self.config, name) for name in names}

    def _predictions(
        self, images: Iterable[np.ndarray], batch_size: int = 1
    ) -> Iterator[tuple[int, Detections]]:
        """Index and detections of each image, as they get ready; few images in memory."""
        for batch in data.inference_batches(images, self.input_size, batch_size):
            detect = self._detect_bytes if batch.images.dtype == np.uint8 else self._detect_floats
            outputs = detect(batch.images, batch.image_sizes)
            yield from self._detections(
                {name: value.numpy() for name, value in outputs.items()}, batch.origins
            )

    def _detect(self, images, image_sizes):
        return self({"images": images, "image_sizes": image_sizes}, training=False)

    def _detections(self, outputs, origins) -> Iterator[tuple[int, Detections]]:
        """Index and detections of each image of a batch of outputs."""
        for row, origin in enumerate(origins):
            own = {name: value[row] for name, value in outputs.items()}
            yield origin.index, to_detections(own, origin, self.class_names, self.config)

    def trace(self, x, *, proposals: Sequence[np.ndarray] | None = None) -> dict[str, Any]:
        """Every intermediate of one forward pass, by name.

        All images go through the network in one batch, padded to the largest. With L the level
        (``P2`` … ``P6``, or ``C4``, ``C5``), in pixels of the network input (see `ops.frames` for
        models whose `box_frame` is "normalised": there anchors alone are pixels):

        ==========================  ====================================================
        ``input/images``, ``sizes``  (B, H, W, 3) RGB normalised and padded; (B, 2)
        ``features/L``               (B, H_L, W_L, F)
        ``rpn/logits/L``, ``deltas``  (B, A_L), (B, A_L, 4)
        ``anchors/L``                (A_L, 4)
        ``proposals/boxes``          (B, R, 4); ``scores``, ``valid`` (B, R)
        ``box/roi_features``         (B·R, S, S, F), under C4's heads before res5
        ``box/class_logits``         (B·R, C + 1), background last; of a cascade ``box_2/`` …, too
        ``box/deltas``               (B·R, C or 1, 4)
        ``masks/roi_features``       (n, S, S, F) of the detections, padded to a multiple of 8
        ``masks/logits``             (n, M, M) of the own class; where classes compete of all of
                                     them, (n, M, M, C + 1)
        ``keypoints/logits``         (n, M, M, J)
        ``detections/boxes``         (B, K, 4); ``scores``, ``labels`` (B, K), ``masks`` …
        ``results``                  what `predict` gives: a list of B `Detections`
        ==========================  ====================================================

        Args:
            x: images as for `predict`.
            proposals: (R, 4) an image, to be used in place of the network's own.
        """
        images = [data.read_image(source) for source in data.image_sources(x)]
        batch = data.joint_batch(images, self.input_size)
        found, outputs = tracing.trace(self, batch, proposals)
        found["results"] = [result for _, result in self._detections(outputs, batch.origins)]
        return found

    def _evaluator(self, dataset, metrics: Sequence[str] = ("coco",)) -> Evaluator:
        """COCO's limit of 100 objects an image, or the model's own where it finds more."""
        most = max(100, self.config.detections_per_image)
        dataset = data.align(dataset, self.class_names)
        return Evaluator(dataset, metrics=metrics, max_detections=(1, 10, most))

    def _measure(self, evaluator: Evaluator) -> dict[str, float]:
        samples = (evaluator.dataset[i] for i in range(len(evaluator.dataset)))
        images = (sample.read() for sample in samples)
        return evaluator.evaluate(self._predictions(images))


def _for_any_size(detect, dtype: tf.DType):
    """Traced once for images (B, H, W, 3) of a type, not once a size."""
    signature = (tf.TensorSpec((None, None, None, 3), dtype), tf.TensorSpec((None, 2), tf.float32))
    return tf.function(detect, input_signature=signature, autograph=False)
