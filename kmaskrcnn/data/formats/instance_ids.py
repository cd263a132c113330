"""One PNG per image, whose values are the numbers of its instances and 0 (PennFudan)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.formats.files import MaskCache, Masks, count_labels, read_png
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import encode


class InstanceIdDataset:
    """Images with instance-id PNGs (8 or 16 bits, palettes, colours), all of one class."""

    def __init__(
        self, images: Sequence[Path], masks: Sequence[Path | None], folder: Path, class_name: str
    ) -> None:
        """Describes them; ``masks`` stand beside ``images``, None for an image without objects."""
        self.folder = folder
        self.report = Report()
        self.class_names = (class_name,)
        self._images = images
        self._files = masks
        self._masks = MaskCache(self._read_masks)
        for image, mask in zip(images, masks, strict=True):
            if mask is None:
                self.report.add(
                    "image without a mask file kept as an image without objects", str(image)
                )

    @property
    def description(self) -> str:
        """One line about what was found."""
        return f"instance-id PNGs, {self.folder}: {len(self)} images, class {self.class_names[0]!r}"

    def class_counts(self) -> list[int]:
        """Objects of the one class; reads every mask."""
        labels = (self._masks[index].labels for index in range(len(self)))
        return count_labels(labels, 1)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int, /) -> Sample:
        image = self._images[index]
        masks = self._masks[index % len(self)]
        mask = self._files[index]
        source = None if mask is None else str(mask)
        return Sample(image, masks.instances(), image_id=image.stem, size=masks.size, source=source)

    def _read_masks(self, index: int) -> Masks:
        path = self._files[index]
        if path is None:
            return Masks([], [], [], None)
        values = read_png(path)
        numbers = [number for number in np.unique(values) if number]
        if not numbers:
            self.report.add("mask file without an object", str(path))
        codes = [encode(values == number) for number in numbers]
        names = [f"{path.stem}:{number}" for number in numbers]
        return Masks(codes, names, [0] * len(codes), values.shape[:2])
