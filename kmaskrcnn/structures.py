"""What a user holds: ``Detections``, the objects found in one image, in the image's own pixels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.files import write_bytes
from kmaskrcnn.ops import drawing, regions
from kmaskrcnn.ops.coco_result import coco_result
from kmaskrcnn.ops.detection_checks import checked_fields
from kmaskrcnn.ops.masks import paste_mask
from kmaskrcnn.ops.skeletons import Skeletons


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """The objects found in one image: boxes, scores, classes, keypoints, masks made on demand.

    The arrays are copies and read-only, and no method changes or caches anything: an instance may
    be shared between threads, pickled, and indexed like an array (``detections[0]``, ``[:5]``,
    ``[scores > 0.9]`` are Detections again).

    Attributes:
        boxes: (K, 4) float32, x1 y1 x2 y2 in continuous pixels of the original image.
        scores: (K,) float32 in [0, 1].
        labels: (K,) int32, 0 … C-1, rows of ``class_names``.
        class_names: the C class names.
        image_size: (height, width) of the original image.
        mask_probabilities: (K, M, M) float16 or float32 in [0, 1], each over its box; None for a
            detector without masks.
        image: what the objects were found in, a path or an array; only ``draw`` and ``save`` look
            at it.
        keypoints: (K, J, 3) float32, x y in continuous pixels of the original image, and a score:
            the heatmap's peak as a probability (Detectron2) or as a logit (torchvision); None for a
            detector without keypoints.
        keypoint_names: the J names, or none.
        keypoint_skeleton: pairs of indices of keypoints that a drawing joins.
        mask_paste: how a mask over its box becomes pixels, a mode of ``ops.masks.paste_mask``.

    Raises:
        ValueError: with what was expected and what came, for shapes that do not agree, NaN,
            infinite or inverted boxes, scores outside [0, 1], and labels that are not rows of
            ``class_names``.
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

    def __post_init__(self) -> None:
        for name, value in checked_fields(self).items():
            object.__setattr__(self, name, value)

    @classmethod
    def empty(
        cls, class_names: Sequence[str], image_size: tuple[int, int], **rest: Any
    ) -> Detections:
        """Nothing found in an image of ``image_size``."""
        names = tuple(class_names)
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), names, image_size, **rest)

    def __reduce__(self):
        return type(self), tuple(getattr(self, name) for name in self.__dataclass_fields__)

    # -- an array of objects ------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: int | slice | Sequence | np.ndarray) -> Detections:
        """The chosen objects: an integer, a slice, indices or a boolean per object."""
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"detection {index} of {len(self)}")
            index = [int(index)]
        if not isinstance(index, slice):
            index = np.asarray(index, dtype=None if len(index) else int)
        rows = ("boxes", "scores", "labels", "mask_probabilities", "keypoints")
        whole = {name: getattr(self, name) for name in rows}
        return self._with(**{n: None if v is None else v[index] for n, v in whole.items()})

    def __iter__(self) -> Iterator[Detections]:
        return (self[i] for i in range(len(self)))

    def filter(
        self, score: float | None = None, classes: str | Sequence[str] | None = None
    ) -> Detections:
        """The objects with at least this ``score`` and of these ``classes`` (names).

        Raises:
            ValueError: a name that is not in ``class_names``.
        """
        keep = np.ones(len(self), dtype=bool)
        if score is not None:
            keep &= self.scores >= score
        if classes is not None:
            names = [classes] if isinstance(classes, str) else list(classes)
            unknown = [name for name in names if name not in self.class_names]
            if unknown:
                raise ValueError(f"expected classes among {self.class_names}, got {unknown}")
            keep &= np.isin(self.labels, [self.class_names.index(name) for name in names])
        return self[keep]

    def resized(self, image_size: tuple[int, int]) -> Detections:
        """The same objects in the image resized to ``image_size`` (height, width).

        Masks stay compact and are made at the new size: draw a small image large, or a large one
        small.
        """
        factors = np.array(image_size, np.float64) / np.array(self.image_size)
        boxes = self.boxes * factors[[1, 0, 1, 0]]
        keypoints = None if self.keypoints is None else self.keypoints * [*factors[::-1], 1]
        image = drawing.as_rgb(self.image, self.image_size) if self.image is not None else None
        if image is not None:
            image = drawing.resize(image, image_size)
        return self._with(boxes=boxes, keypoints=keypoints, image_size=image_size, image=image)

    def _with(self, **changes: Any) -> Detections:
        return type(self)(**{n: getattr(self, n) for n in self.__dataclass_fields__} | changes)

    # -- views --------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The class name of each object."""
        return [self.class_names[label] for label in self.labels]

    @property
    def captions(self) -> list[str]:
        """``"deer 0.93"`` of each object."""
        return [f"{name} {score:.2f}" for name, score in zip(self.names, self.scores, strict=True)]

    def region(self, index: int) -> regions.Region:
        """Window and crop of one object's mask, pasted over its box as ``mask_paste`` says."""
        if self.mask_probabilities is None:
            raise ValueError("these detections have no masks: the model predicts boxes only")
        probabilities = self.mask_probabilities[index].astype(np.float32)
        pasted = paste_mask(probabilities, self.boxes[index], self.image_size, mode=self.mask_paste)
        return regions.make_region(*pasted)

    def regions(self) -> Iterator[regions.Region]:
        """The regions of all objects, one at a time."""
        return (self.region(i) for i in range(len(self)))

    @property
    def masks(self) -> np.ndarray:
        """Full masks (K, H, W) bool, made anew each time; prefer ``regions()`` or ``rle()``."""
        masks = np.zeros((len(self), *self.image_size), dtype=bool)
        for mask, region in zip(masks, self.regions(), strict=True):
            left, top, right, bottom = region.window
            mask[top:bottom, left:right] = region.crop
        return masks

    @property
    def area(self) -> np.ndarray:
        """(K,) float32, square pixels: of the mask, or of the box where there are no masks."""
        if self.mask_probabilities is None:
            return np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return np.array([region.area for region in self.regions()], dtype=np.float32)

    # -- other forms --------------------------------------------------------------------------

    def rle(self) -> list[dict[str, Any]]:
        """Compressed COCO run lengths, one dict a mask, made without a full mask."""
        return [self._rle(i) for i in range(len(self))]

    def _rle(self, index: int) -> dict[str, Any]:
        return regions.to_rle(self.region(index), self.image_size)

    def polygons(self, tolerance: float = 0.0) -> list[list[np.ndarray]]:
        """Outer outlines of each object: lists of (P, 2) float32, x y, along the pixels' edges.

        Args:
            tolerance: pixels by which a simplified outline may differ; 0 keeps every step, 0.5 to 1
                is much shorter.
        """
        return [regions.to_polygons(region, tolerance) for region in self.regions()]

    def to_coco(
        self, image_id: int | str, category_ids: Mapping[str, int] | None = None
    ) -> list[dict[str, Any]]:
        """COCO results: image_id, category_id, bbox (x y width height), score, segmentation (RLE),
        keypoints (x y score of each, in COCO's indices of pixels).

        Args:
            image_id: of the annotation file.
            category_ids: class name → category id of the annotation file; label + 1 when None.
        """
        ids = category_ids or {name: i + 1 for i, name in enumerate(self.class_names)}
        missing = sorted(set(self.names) - set(ids))
        if missing:
            raise ValueError(f"expected a category id for every class, got none for {missing}")
        return [
            coco_result(
                image_id,
                ids[name],
                self.boxes[i],
                self.scores[i],
                None if self.mask_probabilities is None else self._rle(i),
                None if self.keypoints is None else self.keypoints[i],
            )
            for i, name in enumerate(self.names)
        ]

    def draw(
        self,
        image: str | Path | np.ndarray | None = None,
        *,
        color_by: str = "instance",
        masks: bool = True,
        boxes: bool = True,
        captions: bool = True,
        keypoints: bool = True,
        keypoint_score: float = 0.05,
        long_side: int | None = None,
    ) -> np.ndarray:
        """The image with the objects on it, (H, W, 3) uint8 RGB.

        Args:
            image: path or array of ``image_size``; by default ``self.image``.
            color_by: ``"instance"``, each its own colour, or ``"class"``.
            masks, boxes, captions, keypoints: what to draw.
            keypoint_score: only keypoints above it are drawn.
            long_side: pixels of the picture's longer side, enlarged or reduced before drawing, so
                that lines and text stay sharp; None keeps the image's size.
        """
        image = self.image if image is None else image
        if image is None:
            raise ValueError("draw() needs the image: call draw(image) with a path or an array")
        image = drawing.as_rgb(image, self.image_size)
        shown = self
        if long_side is not None:
            image = drawing.fit(image, (long_side, long_side))
            shown = self._with(image=None).resized(image.shape[:2])
        region_of: Callable | None = shown.region if self.mask_probabilities is not None else None
        skeletons = None
        if keypoints and shown.keypoints is not None:
            skeletons = Skeletons(
                shown.keypoints, self.keypoint_names, self.keypoint_skeleton, keypoint_score
            )
        return drawing.draw_instances(
            image,
            shown.boxes,
            region_of=region_of if masks else None,
            captions=self.captions if captions else None,
            colors=drawing.colors_of(self.labels, color_by),
            outline_boxes=boxes,
            skeletons=skeletons,
        )

    def save(
        self,
        path: str | Path,
        image: str | Path | np.ndarray | None = None,
        *,
        image_id: int | str = 0,
        **how: Any,
    ) -> Path:
        """Writes a picture (``.png``, ``.jpg`` …) or COCO results (``.json``), as the suffix says.

        Args:
            path: file to write; its folder is made.
            image: see ``draw``; ``how`` goes to ``draw`` too.
            image_id: of the COCO results.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in (".json", *drawing.PICTURE_SUFFIXES):
            known = " ".join((".json", *drawing.PICTURE_SUFFIXES))
            raise ValueError(f"{path}: expected a suffix among {known}, got {suffix!r}")
        if suffix == ".json":
            data = json.dumps(self.to_coco(image_id)).encode()
        else:
            data = drawing.encode_picture(self.draw(image, **how), suffix)
        write_bytes(path, data)
        return path

    def __repr__(self) -> str:
        height, width = self.image_size
        if len(self) > 8:
            counts = ", ".join(f"{n} {name}" for name, n in Counter(self.names).most_common())
            found = f"{counts}; scores {self.scores.max():.2f} … {self.scores.min():.2f}"
        else:
            found = ", ".join(self.captions) or "nothing"
        parts = {"masks": self.mask_probabilities, "keypoints": self.keypoints}
        there = " and ".join(name for name, part in parts.items() if part is not None)
        having = f", with {there}" if there else ""
        return f"Detections({len(self)} in {height}×{width} px{having}: {found})"
