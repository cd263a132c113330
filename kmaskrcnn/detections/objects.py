"""What is held of the objects found in one image: arrays, and masks that are made on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kmaskrcnn.detections.checks import checked_fields
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops import regions as windows  # `Objects.regions` has the name
from kmaskrcnn.ops.masks import paste_mask
from kmaskrcnn.ops.pasting import paste_masks
from kmaskrcnn.ops.regions import Region

ROWS = ("boxes", "scores", "labels", "mask_probabilities", "keypoints")
Self = TypeVar("Self", bound="Objects")


@dataclass(frozen=True, eq=False, repr=False)
class Objects:
    """The objects found in one image: boxes, scores, classes, keypoints, masks made on demand.

    The arrays are copies and read-only, and no method changes or caches anything: an instance may
    be shared between threads, pickled, and indexed like an array (``found[0]``, ``[:5]``,
    ``[scores > 0.9]`` are of the same kind again).

    Attributes:
        boxes: (K, 4) float32, x1 y1 x2 y2 in continuous pixels of the original image.
        scores: (K,) float32 in [0, 1].
        labels: (K,) int32, 0 … C-1, rows of ``class_names``.
        class_names: the C class names.
        image_size: (height, width) of the original image.
        mask_probabilities: (K, M, M) float16 or float32 in [0, 1], each over its box; None for a
            detector without masks.
        image: what the objects were found in, a path or an array; only what shows or measures
            pixels looks at it.
        keypoints: (K, J, 3) float32, x y in continuous pixels of the original image, and a score:
            the heatmap's peak as a probability (Detectron2) or as a logit (torchvision); None for a
            detector without keypoints.
        keypoint_names: the J names, or none.
        keypoint_skeleton: pairs of indices of keypoints that a drawing joins.
        mask_paste: how a mask over its box becomes pixels, a mode of ``ops.masks.paste_mask``.
        mask_regions: K masks that are known to the pixel, as windows (see ``ops.regions``): of
            merged objects, or of a truth; in place of ``mask_probabilities``.

    Raises:
        ValueError: with what was expected and what came, for shapes that do not agree, NaN,
            infinite or inverted boxes, scores outside [0, 1], labels that are not rows of
            ``class_names``, and masks of both kinds.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    image_size: tuple[int, int]
    mask_probabilities: np.ndarray | None = None
    image: str | Path | np.ndarray | None = None
    keypoints: np.ndarray | None = None
    keypoint_names: tuple[str, ...] = ()
    keypoint_skeleton: tuple[tuple[int, int], ...] = ()
    mask_paste: str = "detectron2"
    mask_regions: tuple[Region, ...] | None = None

    def __post_init__(self) -> None:
        for name, value in checked_fields(self).items():
            object.__setattr__(self, name, value)

    @classmethod
    def empty(
        cls: type[Self], class_names: Sequence[str], image_size: tuple[int, int], **rest: Any
    ) -> Self:
        """Nothing found in an image of ``image_size``."""
        names = tuple(class_names)
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), names, image_size, **rest)

    def __reduce__(self):
        return type(self), tuple(getattr(self, name) for name in self.__dataclass_fields__)

    # -- an array of objects ------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self: Self, index: int | slice | Sequence | np.ndarray) -> Self:
        """The chosen objects: an integer, a slice, indices or a boolean per object."""
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"detection {index} of {len(self)}")
            index = [int(index)]
        if not isinstance(index, slice):
            index = np.asarray(index, dtype=None if len(index) else int)
        whole = {name: getattr(self, name) for name in ROWS}
        chosen = {n: None if v is None else v[index] for n, v in whole.items()}
        if self.mask_regions is not None:
            chosen["mask_regions"] = [self.mask_regions[i] for i in np.arange(len(self))[index]]
        return self.replaced(**chosen)

    def __iter__(self: Self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def replaced(self: Self, **changes: Any) -> Self:
        """The same with other fields: ``found.replaced(image="elsewhere/photo.jpg")``."""
        return type(self)(**{n: getattr(self, n) for n in self.__dataclass_fields__} | changes)

    def resized(self: Self, image_size: tuple[int, int]) -> Self:
        """The same objects in the image resized to ``image_size`` (height, width).

        Masks stay compact and are made at the new size: draw a small image large, or a large one
        small.
        """
        factors = np.array(image_size, np.float64) / np.array(self.image_size)
        exact = self.mask_regions
        if exact is not None:
            exact = tuple(windows.resize(r, self.image_size, image_size) for r in exact)
        image = drawing.as_rgb(self.image, self.image_size) if self.image is not None else None
        return self.replaced(
            boxes=self.boxes * factors[[1, 0, 1, 0]],
            keypoints=None if self.keypoints is None else self.keypoints * [*factors[::-1], 1],
            mask_regions=exact,
            image_size=image_size,
            image=None if image is None else drawing.resize(image, image_size),
        )

    # -- names and masks ----------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The class name of each object."""
        return [self.class_names[label] for label in self.labels]

    @property
    def captions(self) -> list[str]:
        """``"deer 0.93"`` of each object."""
        return [f"{name} {score:.2f}" for name, score in zip(self.names, self.scores, strict=True)]

    @property
    def has_masks(self) -> bool:
        """Whether the objects have masks, or boxes only."""
        return self.mask_probabilities is not None or self.mask_regions is not None

    def region(self, index: int) -> Region:
        """Window and crop of one object's mask, pasted over its box as ``mask_paste`` says."""
        if self.mask_regions is not None:
            return self.mask_regions[index]
        if self.mask_probabilities is None:
            raise ValueError("these detections have no masks: the model predicts boxes only")
        probabilities = self.mask_probabilities[index].astype(np.float32)
        pasted = paste_mask(probabilities, self.boxes[index], self.image_size, mode=self.mask_paste)
        return windows.make_region(*pasted)

    def regions(self) -> Iterator[Region]:
        """The regions of all objects, one at a time."""
        return (self.region(i) for i in range(len(self)))

    def pixels(self, index: int) -> Region:
        """The pixels of one object: of its mask, or of its box where there are no masks."""
        if self.has_masks:
            return self.region(index)
        return windows.box_region(self.boxes[index], self.image_size)

    @property
    def masks(self) -> np.ndarray:
        """Full masks (K, H, W) bool, made anew each time; prefer ``regions()`` or ``rle()``."""
        if self.mask_probabilities is not None:
            return paste_masks(
                self.mask_probabilities, self.boxes, self.image_size, mode=self.mask_paste
            )
        masks = np.zeros((len(self), *self.image_size), dtype=bool)
        for mask, region in zip(masks, self.regions(), strict=True):
            left, top, right, bottom = region.window
            mask[top:bottom, left:right] = region.crop
        return masks

    @property
    def area(self) -> np.ndarray:
        """(K,) float32, square pixels: of the mask, or of the box where there are no masks."""
        if not self.has_masks:
            return np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return np.array([region.area for region in self.regions()], dtype=np.float32)

    def rle(self) -> list[dict[str, Any]]:
        """Compressed COCO run lengths, one dict a mask, made without a full mask."""
        return [windows.to_rle(region, self.image_size) for region in self.regions()]

    def __repr__(self) -> str:
        height, width = self.image_size
        if len(self) > 8:
            counts = ", ".join(f"{n} {name}" for name, n in Counter(self.names).most_common())
            found = f"{counts}; scores {self.scores.max():.2f} … {self.scores.min():.2f}"
        else:
            found = ", ".join(self.captions) or "nothing"
        parts = {"masks": self.has_masks, "keypoints": self.keypoints is not None}
        there = " and ".join(name for name, given in parts.items() if given)
        having = f", with {there}" if there else ""
        name = type(self).__name__
        return f"{name}({len(self)} in {height}×{width} px{having}: {found})"
