"""A dataset without files: overlapping circles, squares and triangles on textured grounds."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample

Size = tuple[int, int]
CLASS_NAMES = ("circle", "square", "triangle")
MIN_VISIBLE = 0.25
"""Of an object that others cover, this share must be seen; else it is not drawn."""


class ShapesDataset:
    """Synthetic images, each made from its seed and index when it is asked for.

    A shape is drawn over those before it; its mask is the part that is seen. About one image in
    twenty has no object at all.
    """

    class_names = CLASS_NAMES

    def __init__(
        self,
        num_images: int,
        *,
        seed: int = 0,
        image_size: Size | Sequence[Size] = (128, 128),
        max_objects: int = 6,
        empty_share: float = 0.05,
    ) -> None:
        """Describes the images; none is drawn yet.

        Args:
            num_images: the length.
            seed: other seeds give other images.
            image_size: (height, width), or several of them, which take turns at random.
            max_objects: at most so many in an image.
            empty_share: of the images, so many have no object.

        Raises:
            ValueError: a side below 32, no size, or a number below 1.
        """
        sizes = [(int(side[0]), int(side[1])) for side in np.reshape(image_size, (-1, 2))]
        if num_images < 1 or max_objects < 1 or not sizes or min(min(size) for size in sizes) < 32:
            raise ValueError(
                f"num_images={num_images}, max_objects={max_objects}, image_size={image_size}: "
                "expected numbers from 1 up, and one or more (height, width) from 32 up."
            )
        self._num_images = num_images
        self._seed = seed
        self._sizes = sizes
        self._max_objects = max_objects
        self._empty_share = empty_share

    @property
    def description(self) -> str:
        """One line about it."""
        sizes = ", ".join(f"{height}×{width}" for height, width in self._sizes)
        return f"synthetic shapes: {len(self)} images of {sizes}, seed {self._seed}"

    def __len__(self) -> int:
        return self._num_images

    def __getitem__(self, index: int, /) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        index %= len(self)
        rng = np.random.default_rng([self._seed, index])
        size = self._sizes[rng.integers(len(self._sizes))]
        image = _ground(size, rng)
        instances = [] if rng.random() < self._empty_share else self._draw_shapes(image, rng)
        noise = rng.normal(0, 4, image.shape)
        pixels = np.clip(image + noise, 0, 255).astype(np.uint8)
        return Sample(pixels, instances, image_id=index, size=size)

    def _draw_shapes(self, image: np.ndarray, rng: np.random.Generator) -> list[Instance]:
        """Draws onto ``image`` (H, W, 3) float32 in place."""
        labels: list[int] = []
        masks: list[np.ndarray] = []
        whole: list[int] = []
        for _ in range(rng.integers(1, self._max_objects + 1)):
            label = int(rng.integers(len(CLASS_NAMES)))
            coverage = _coverage(CLASS_NAMES[label], image.shape[:2], rng)
            mask = coverage >= 0.5
            seen = [old & ~mask for old in masks]
            if any(part.sum() < MIN_VISIBLE * area for part, area in zip(seen, whole, strict=True)):
                continue
            _paint(image, coverage, rng)
            labels, masks, whole = [*labels, label], [*seen, mask], [*whole, int(mask.sum())]
        return [
            Instance(label, mask, annotation_id=number)
            for number, (label, mask) in enumerate(zip(labels, masks, strict=True), 1)
        ]


def _coverage(name: str, size: Size, rng: np.random.Generator) -> np.ndarray:
    """How much of each pixel a shape of random size, place and turn covers: (H, W), 0 … 1."""
    radius = rng.uniform(0.09, 0.24) * min(size)
    y = rng.uniform(0.6 * radius, size[0] - 0.6 * radius)
    x = rng.uniform(0.6 * radius, size[1] - 0.6 * radius)
    rows, columns = np.ogrid[: size[0], : size[1]]
    dy, dx = rows + 0.5 - y, columns + 0.5 - x
    if name == "circle":
        return np.clip(radius - np.hypot(dx, dy) + 0.5, 0, 1).astype(np.float32)
    sides, reach = (4, 0.85 * radius) if name == "square" else (3, 0.62 * radius)
    turn = rng.uniform(0, 2 * np.pi)
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    distance = np.max([dx * np.cos(a) + dy * np.sin(a) for a in angles], axis=0)
    return np.clip(reach - distance + 0.5, 0, 1).astype(np.float32)


def _paint(image: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> None:
    """A colour of its own with a shade across it, blended at the edge."""
    colour = rng.uniform(30, 235, 3)
    shade = _waves(image.shape[:2], rng)[..., None] * rng.uniform(5, 25)
    image += coverage[..., None] * (colour + shade - image)


def _ground(size: Size, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32: a colour, waves across it, and coarse blotches."""
    colour = rng.uniform(40, 215, 3)
    waves = _waves(size, rng)[..., None] * rng.uniform(-30, 30, 3)
    coarse = rng.normal(0, rng.uniform(5, 18), (*rng.integers(4, 17, 2), 3)).astype(np.float32)
    blotches = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return (colour + waves + blotches).astype(np.float32)


def _waves(size: Size, rng: np.random.Generator) -> np.ndarray:
    """A sine across the image in a random direction, (H, W), −1 … 1."""
    angle, phase = rng.uniform(0, 2 * np.pi, 2)
    frequency = rng.uniform(0.02, 0.3)
    rows, columns = np.ogrid[: size[0], : size[1]]
    return np.sin(frequency * (rows * np.sin(angle) + columns * np.cos(angle)) + phase)
