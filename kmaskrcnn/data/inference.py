"""What `predict` takes, and images on their way into the network without truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import prepare_image

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


class InferenceBatch(NamedTuple):
    """Images of one padded shape, and where each comes from."""

    images: np.ndarray  # (B, H, W, 3) uint8, zero-padded at the bottom and right
    image_sizes: np.ndarray  # (B, 2) float32 height and width without padding
    origins: list[tuple[int, tuple[int, int], np.ndarray]]  # index, original size, scale (x, y)


def image_sources(x: Any) -> list[Path | np.ndarray]:
    """What a person means by `x`, as one path or array an image.

    Args:
        x: a path, a folder, an array (H, W), (H, W, C) or (B, H, W, C), or a list of these.

    Raises:
        DataError: a path that does not exist, a folder without images.
        TypeError: anything else.
    """
    if isinstance(x, (str, Path)):
        return _from_path(Path(x))
    if isinstance(x, (list, tuple)):
        return [source for item in x for source in image_sources(item)]
    if hasattr(x, "__array__") and np.ndim(x) in (2, 3, 4):
        return list(np.asarray(x)) if np.ndim(x) == 4 else [np.asarray(x)]
    raise TypeError(
        "predict takes a path, a folder, an array (height, width[, channels]) or a list of these; "
        f"got {type(x).__name__}{f' of {np.ndim(x)} axes' if hasattr(x, '__array__') else ''}."
    )


def inference_batches(
    images: Iterable[np.ndarray],
    min_size: int,
    max_size: int,
    batch_size: int = 1,
    size_divisor: int = 64,
) -> Iterator[InferenceBatch]:
    """Resizes images (H, W, 3) and groups those of equal padded shape, few at a time in memory."""
    waiting: dict[tuple[int, int], list] = {}
    for index, image in enumerate(images):
        resized, matrix = prepare_image(image, min_size, max_size)
        scale = np.array([matrix[0, 0], matrix[1, 1]], np.float32)
        shape = tuple(-(-side // size_divisor) * size_divisor for side in resized.shape[:2])
        group = waiting.setdefault(shape, [])
        group.append((resized, (index, image.shape[:2], scale)))
        if len(group) == batch_size:
            yield _batch(shape, waiting.pop(shape))
    for shape, group in waiting.items():
        yield _batch(shape, group)


def _batch(shape: tuple[int, int], group: list) -> InferenceBatch:
    images = np.zeros((len(group), *shape, 3), np.uint8)
    for row, (image, _) in zip(images, group, strict=True):
        row[: image.shape[0], : image.shape[1]] = image
    sizes = np.array([image.shape[:2] for image, _ in group], np.float32)
    return InferenceBatch(images, sizes, [origin for _, origin in group])


def _from_path(path: Path) -> list[Path | np.ndarray]:
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"{path}: there is no such image or folder.")
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(f"{path}: no image in this folder ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    return list(found)
