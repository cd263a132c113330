"""A case: a reference's weights, drawn from a seed, its photographs and its answers.

The folder's ``state.json`` says what the reference is and how each of its parameters is drawn;
``expected.npz`` holds what it computed with them.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.parity.settings import CaseError, Settings, settings


class Sample(NamedTuple):
    """Some values of an array of the reference: where in it they stand, and what they are."""

    shape: tuple[int, ...]
    index: np.ndarray  # (n,) flat, C order
    value: np.ndarray  # (n,)


@dataclass(frozen=True)
class Case:
    """One folder.

    Raises:
        CaseError: the folder is no case, or of a reference that we have no preset for.
    """

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def spec(self) -> dict[str, Any]:
        """``state.json``: reference, photographs, switches, and how each parameter is drawn."""
        return json.loads(self._file("state.json").read_text())

    @cached_property
    def answers(self) -> dict[str, np.ndarray]:
        """``expected.npz``."""
        with np.load(self._file("expected.npz")) as answers:
            return {key: answers[key] for key in answers.files}

    @cached_property
    def settings(self) -> Settings:
        """Our preset and what else of its fields this case says."""
        return settings(self.spec)

    def _file(self, name: str) -> Path:
        if not (self.folder / name).is_file():
            raise CaseError(f"{self.folder}: no case: it has no {name}.")
        return self.folder / name

    def __contains__(self, key: str) -> bool:
        return key in self.answers or f"{key}/value" in self.answers

    def names(self, prefix: str) -> list[str]:
        """The keys that begin so, without the beginning and without the parts of a sample."""
        found = [key.removeprefix(prefix) for key in self.answers if key.startswith(prefix)]
        ends = ("/shape", "/index", "/value")
        return list(
            dict.fromkeys(name.rsplit("/", 1)[0] if name.endswith(ends) else name for name in found)
        )

    def sample(self, key: str) -> Sample:
        """What was kept of an array."""
        shape = tuple(int(side) for side in self.answers[f"{key}/shape"])
        return Sample(shape, self.answers[f"{key}/index"], self.answers[f"{key}/value"])

    def photos(self) -> list[np.ndarray]:
        """The photographs (H, W, 3) uint8 RGB, from the scikit-image wheel."""
        import skimage.data

        images = [getattr(skimage.data, name)() for name in self.spec["photos"]]
        return [np.dstack([image] * 3) if image.ndim == 2 else image[..., :3] for image in images]

    def weights(self) -> dict[str, np.ndarray]:
        """All parameters by the reference's names, in its layouts.

        Raises:
            CaseError: this NumPy draws other numbers than the reference was given.
        """
        seed = self.spec["seed"]
        drawn = {
            name: draw(name, shape, kind, scale, seed)
            for name, (shape, kind, scale) in self.spec["parameters"].items()
        }
        total = sum(float(np.abs(array, dtype=np.float64).sum()) for array in drawn.values())
        if abs(total - self.spec["abs_sum"]) > 1e-6 * self.spec["abs_sum"]:
            raise CaseError(
                f"{self.name}: these weights sum to {total}, the reference's to "
                f"{self.spec['abs_sum']}: this NumPy draws another stream, so the answers say "
                "nothing about them."
            )
        return drawn

    def truth_seeds(self) -> list[int]:
        """The seed of each image's training targets."""
        first = 10 * self.spec["seed"]
        return self.spec.get(
            "training_targets_seed", [first + i for i in range(len(self.spec["photos"]))]
        )


def draw(name: str, shape: list[int], kind: str, scale: Any, seed: int) -> np.ndarray:
    """One parameter from the seed and its own name, in the reference's layout."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    if kind == "normal":
        return (random.standard_normal(shape) * scale).astype(np.float32)
    if kind == "uniform":
        return (random.random(shape) * (scale[1] - scale[0]) + scale[0]).astype(np.float32)
    if kind == "constant":
        return np.asarray(scale, np.float32).reshape(shape)
    raise CaseError(f"{name}: expected a kind among normal, uniform and constant, got {kind!r}.")


def ellipses(height: int, width: int, seed: int, num_classes: int, count: int = 5):
    """The truth of a training step, drawn from a seed.

    Returns:
        boxes (count, 4) float32 x1 y1 x2 y2, labels (count,) in 1 … num_classes - 1, masks
        (count, height, width) bool.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] + 0.5
    boxes, labels, masks = [], [], []
    for _ in range(count):
        tall, wide = (random.uniform(0.15, 0.5) * side for side in (height, width))
        y, x = random.uniform(0, height - tall), random.uniform(0, width - wide)
        vertical = (rows - (y + tall / 2)) / (tall / 2)
        horizontal = (columns - (x + wide / 2)) / (wide / 2)
        boxes.append([x, y, x + wide, y + tall])
        masks.append(vertical**2 + horizontal**2 <= 1)
        labels.append(int(random.integers(1, num_classes)))
    return np.asarray(boxes, np.float32), np.asarray(labels), np.asarray(masks)


def cases_below(root: Path) -> list[Case]:
    """Every case below a folder, by name."""
    found = sorted(path.parent for path in root.rglob("state.json"))
    return [Case(folder) for folder in found if (folder / "expected.npz").is_file()]
