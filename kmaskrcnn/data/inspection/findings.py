"""What a look at a dataset found, in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.broken import Broken
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.inspection.anchors import AnchorAdvice
from kmaskrcnn.data.inspection.comparison import ClassRow, compare_classes
from kmaskrcnn.data.inspection.duplicates import Duplicates
from kmaskrcnn.data.inspection.objects import Objects, Problem
from kmaskrcnn.data.inspection.training_size import SizeAdvice, network_boxes, sides

SMALL, MEDIUM = 32**2, 96**2
"""Pixels below which an object is small or medium, as COCO has it."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What ``inspect`` found.

    Attributes:
        dataset: what was looked at, broken images included.
        description: of it, in a line.
        class_names: C names.
        class_objects, class_images: of each class, how many objects, and on how many images (C).
        sizes: (N, 2) int height and width of the N images that can be used.
        num_objects: (N) int objects on each.
        areas: (K) float pixels of each object that is no crowd.
        num_crowds: crowds.
        broken: the images that cannot be used, all of them.
        problems: what looks wrong, all of it.
        repairs: what was mended or left out: kind → places.
        config: the model's that is to be trained: its image size and anchors.
        objects: those that have an area and are no crowd.
        size_advice, anchor_advice: what suits them; None for anchors where there are no objects.
        duplicates: images that are there twice, those in both parts first.
        validation: what was found in the part that is validated on; None without it.
    """

    dataset: Dataset
    description: str
    class_names: tuple[str, ...]
    class_objects: tuple[int, ...]
    class_images: tuple[int, ...]
    sizes: np.ndarray
    num_objects: np.ndarray
    areas: np.ndarray
    num_crowds: int
    broken: tuple[Broken, ...]
    problems: tuple[Problem, ...]
    repairs: Mapping[str, Sequence[str]]
    config: MaskRCNNConfig
    objects: Objects
    size_advice: SizeAdvice
    anchor_advice: AnchorAdvice | None
    duplicates: tuple[Duplicates, ...]
    validation: Findings | None

    @property
    def leaks(self) -> tuple[Duplicates, ...]:
        """The duplicates of which one is trained and another validated on."""
        return tuple(group for group in self.duplicates if group.is_leak)

    @property
    def network_sides(self) -> np.ndarray:
        """√(width · height) of each object at the network's input: (K,)."""
        return sides(network_boxes(self.objects, self.sizes, self.config))

    @property
    def class_rows(self) -> list[ClassRow]:
        """The classes of both parts; of none without a validation part."""
        if self.validation is None:
            return []
        counts = [
            (part.class_names, part.class_objects, part.class_images)
            for part in (self, self.validation)
        ]
        return compare_classes(*counts)

    def size_range(self) -> dict[str, list[int]]:
        """The smallest, the middle and the largest image by area."""
        if not len(self.sizes):
            return {}
        order = np.argsort(np.prod(self.sizes.astype(float), axis=1), kind="stable")
        places = {"min": order[0], "median": order[len(order) // 2], "max": order[-1]}
        return {name: self.sizes[place].tolist() for name, place in places.items()}

    def shares(self) -> dict[str, float]:
        """Of small, medium and large objects, by COCO's limits, in pixels of their images."""
        num_small, num_medium = (int((self.areas < limit).sum()) for limit in (SMALL, MEDIUM))
        counts = [num_small, num_medium - num_small, len(self.areas) - num_medium]
        shares = [count / max(len(self.areas), 1) for count in counts]
        return dict(zip(("small", "medium", "large"), shares, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, of JSON's types only."""
        columns = zip(self.class_names, self.class_objects, self.class_images, strict=True)
        anchors, held_out = self.anchor_advice, self.validation
        content = {
            "description": self.description,
            "images": len(self.sizes) + len(self.broken),
            "images_without_objects": int((self.num_objects == 0).sum()),
            "objects": int(self.num_objects.sum()),
            "crowds": self.num_crowds,
            "classes": [{"name": n, "objects": o, "images": i} for n, o, i in columns],
            "image_sizes": self.size_range(),
            "objects_per_image": spread(self.num_objects),
            "object_areas": spread(self.areas) | {"shares": self.shares()},
            "training_size": {"min_size": self.config.min_size, "max_size": self.config.max_size},
            "object_sides_at_training_size": spread(self.network_sides),
            "image_size": asdict(self.size_advice),
            "anchors": None if anchors is None else anchors.to_dict(),
            "broken": [asdict(image) for image in self.broken],
            "problems": [asdict(problem) for problem in self.problems],
            "duplicates": [asdict(d) | {"is_leak": d.is_leak} for d in self.duplicates],
            "repairs": {kind: list(places) for kind, places in self.repairs.items()},
            "validation": None if held_out is None else held_out.to_dict(),
            "class_table": [row._asdict() | {"remark": row.remark} for row in self.class_rows],
        }
        return _with_lists(content)


def _with_lists(value: Any) -> Any:
    """The same with a list for every tuple, as JSON has it."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def spread(values: np.ndarray) -> dict[str, float]:
    """The least, the middle and the greatest; nothing of nothing."""
    if not len(values):
        return {}
    low, middle, high = values.min(), np.median(values), values.max()
    return {"min": float(low), "median": float(middle), "max": float(high)}
