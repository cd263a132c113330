"""What a look at a dataset found: as lines, as a dictionary, as a sheet of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.data.broken import Broken
from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.pictures import draw_sample, short_name
from kmaskrcnn.files import write_text
from kmaskrcnn.ops import drawing

SMALL, MEDIUM = 32**2, 96**2
"""Pixels below which an object is small or medium, as COCO has it."""


@dataclass(frozen=True)
class Problem:
    """Something that looks wrong, and where.

    Attributes:
        kind: in a few words.
        file: the image's path, or how messages call it.
        annotation_id: the file's; None where it is about the image.
        detail: figures.
    """

    kind: str
    file: str
    annotation_id: int | str | None
    detail: str

    def __str__(self) -> str:
        annotation = "" if self.annotation_id is None else f", annotation {self.annotation_id}"
        return f"{self.file}{annotation}: {self.detail}"


@dataclass(frozen=True, eq=False)
class Inspection:
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

    def to_dict(self) -> dict[str, Any]:
        """Everything but the pictures, of JSON's types only."""
        columns = zip(self.class_names, self.class_objects, self.class_images, strict=True)
        return {
            "description": self.description,
            "images": len(self.sizes) + len(self.broken),
            "images_without_objects": int((self.num_objects == 0).sum()),
            "objects": int(self.num_objects.sum()),
            "crowds": self.num_crowds,
            "classes": [{"name": n, "objects": o, "images": i} for n, o, i in columns],
            "image_sizes": self._size_range(),
            "objects_per_image": _spread(self.num_objects),
            "object_areas": _spread(self.areas) | {"shares": self._shares()},
            "broken": [asdict(image) for image in self.broken],
            "problems": [asdict(problem) for problem in self.problems],
            "repairs": {kind: list(places) for kind, places in self.repairs.items()},
        }

    def lines(self, num_places: int = 3) -> list[str]:
        """What to know, a line each, with the first ``num_places`` places of every kind."""
        shares = self._shares()
        sizes, each = self._size_range(), _spread(self.num_objects)
        lines = [self.description]
        if len(self.sizes):
            low, middle, high = (f"{s[0]}×{s[1]}" for s in sizes.values())
            lines += [
                f"  images: {len(self.sizes)} usable of {len(self.sizes) + len(self.broken)}; "
                f"height×width from {low} over {middle} (median) to {high}",
                f"  objects: {self.num_objects.sum()}, of which {self.num_crowds} crowds; an image "
                f"has {each['min']:g} to {each['max']:g}, median {each['median']:g}; "
                f"{(self.num_objects == 0).sum()} images have none",
                f"  object sizes: {shares['small']:.0%} small (below 32×32 pixels), "
                f"{shares['medium']:.0%} medium (below 96×96), {shares['large']:.0%} large",
            ]
        lines += self._table()
        lines += _grouped("broken image", [(b.kind, b.reason) for b in self.broken], num_places)
        problems = [(problem.kind, str(problem)) for problem in self.problems]
        lines += _grouped("suspicious", problems, num_places)
        repairs = [(kind, place) for kind, places in self.repairs.items() for place in places]
        lines += _grouped("mended or left out", repairs, num_places)
        if not (self.broken or self.problems or self.repairs):
            lines.append("  nothing broken, nothing suspicious")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def save(self, path: str | Path) -> None:
        """Writes all lines, with every place, as a text file."""
        write_text(Path(path), "\n".join(self.lines(num_places=2**31)) + "\n")

    def sheet(
        self, limit: int = 12, *, columns: int = 4, cell_size: int = 400, suspicious: bool = False
    ) -> np.ndarray:
        """A sheet of annotated images, evenly spread over the dataset.

        Args:
            limit: images at most.
            columns: in a row.
            cell_size: pixels of a picture's longer side.
            suspicious: only images with something suspicious, if there are any; captions say what.

        Returns: (H, W, 3) uint8 RGB.

        Raises:
            DataError: an image that cannot be drawn.
        """
        broken = {image.index for image in self.broken}
        places = [index for index in range(len(self.dataset)) if index not in broken]
        kinds: dict[str, dict[str, None]] = {}
        for problem in self.problems if suspicious else ():
            kinds.setdefault(problem.file, {})[problem.kind] = None
        if kinds:
            places = [i for i in places if self.dataset[i].name in kinds] or places
        if not places:
            raise DataError(f"{self.description}: no image that can be drawn.")
        chosen = np.unique(np.linspace(0, len(places) - 1, min(limit, len(places))).astype(int))
        pictures, texts = [], []
        for place in chosen:
            sample = self.dataset[places[place]]
            pictures.append(
                draw_sample(
                    sample,
                    self.class_names,
                    long_side=cell_size,
                    keypoint_names=keypoint_names_of(self.dataset),
                    keypoint_skeleton=getattr(self.dataset, "keypoint_skeleton", ()),
                )
            )
            what = ", ".join(kinds.get(sample.name, ())) or str(len(sample.instances))
            texts.append(f"{short_name(sample)}: {what}")
        height = max(picture.shape[0] for picture in pictures)
        size = (height, cell_size)
        return drawing.contact_sheet(pictures, texts, columns=columns, cell_size=size)

    def _size_range(self) -> dict[str, list[int]]:
        """The smallest, the middle and the largest image by area."""
        if not len(self.sizes):
            return {}
        order = np.argsort(np.prod(self.sizes.astype(float), axis=1), kind="stable")
        places = {"min": order[0], "median": order[len(order) // 2], "max": order[-1]}
        return {name: self.sizes[place].tolist() for name, place in places.items()}

    def _shares(self) -> dict[str, float]:
        """Of small, medium and large objects."""
        num_small, num_medium = (int((self.areas < limit).sum()) for limit in (SMALL, MEDIUM))
        counts = [num_small, num_medium - num_small, len(self.areas) - num_medium]
        shares = [count / max(len(self.areas), 1) for count in counts]
        return dict(zip(("small", "medium", "large"), shares, strict=True))

    def _table(self) -> list[str]:
        rows = [("class", "objects", "images")]
        columns = zip(self.class_names, self.class_objects, self.class_images, strict=True)
        rows += [(name, str(objects), str(images)) for name, objects, images in columns]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        return [
            f"  {row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows
        ]


def _grouped(title: str, found: Sequence[tuple[str, str]], num_places: int) -> list[str]:
    """A line for each kind of what was found, and one for each of its first places."""
    lines = []
    for kind, count in Counter(kind for kind, _ in found).most_common():
        places = [place for other, place in found if other == kind]
        lines.append(f"  {title}, {kind}: {count}")
        lines += [f"    {place}" for place in places[:num_places]]
        if count > num_places:
            lines.append(f"    … and {count - num_places} more")
    return lines


def _spread(values: np.ndarray) -> dict[str, float]:
    if not len(values):
        return {}
    low, middle, high = values.min(), np.median(values), values.max()
    return {"min": float(low), "median": float(middle), "max": float(high)}
