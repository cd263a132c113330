"""Images that cannot be trained on: found before anything is trained, by their headers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from kmaskrcnn.data.compose.subset import Subset
from kmaskrcnn.data.dataset import Dataset, Sample, get_sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import look_at
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.report import Report
from kmaskrcnn.environment import max_pixels

NUM_THREADS = 8  # they wait for the disk
Progress = Callable[[int, int], object]
"""Is called with how many images are done, and how many there are."""


@dataclass(frozen=True)
class Broken:
    """An image that cannot be used.

    Attributes:
        index: in the dataset.
        file: its path, or how messages call it.
        kind: ``"missing"``, ``"cut off or damaged"``, ``"of another size"``, ``"not an image"`` or
            ``"unreadable annotation"``.
        reason: the sentence that reading it raises.
        num_objects: that are annotated on it.
    """

    index: int
    file: str
    kind: str
    reason: str
    num_objects: int


def find_broken(dataset: Dataset, progress: Progress | None = None) -> list[Broken]:
    """Looks at every image of a dataset, in several threads.

    JPEG and PNG are judged by their headers, their ends and, of PNG, its checksums; what is
    doubtful then, or of another format, is decoded.

    Args:
        dataset: any; its samples are asked for.
        progress: is told after each image.
    """
    total = len(dataset)
    found = []
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        for done, seen in enumerate(pool.map(partial(look, dataset), range(total)), 1):
            if isinstance(seen, Broken):
                found.append(seen)
            if progress is not None:
                progress(done, total)
    return found


def without_broken(dataset: Dataset, progress: Progress | None = None) -> Dataset:
    """``dataset`` without the images that cannot be used; its report counts them.

    Returns:
        The dataset itself where every image can be used, else a ``Subset`` with ``broken``, those
        left out.

    Raises:
        DataError: not one image is left.
    """
    broken = find_broken(dataset, progress)
    if not broken:
        return dataset
    if len(broken) == len(dataset):
        raise DataError(
            f"none of the {len(dataset)} images can be used; the first: {broken[0].reason}"
        )
    return SoundImages(dataset, broken)


class SoundImages(Subset):
    """A dataset without its broken images, which are counted in its report.

    Attributes:
        broken: those left out.
    """

    def __init__(self, dataset: Dataset, broken: list[Broken]) -> None:
        """Describes ``dataset`` without ``broken``."""
        left_out = {image.index for image in broken}
        kept = [index for index in range(len(dataset)) if index not in left_out]
        whole = getattr(dataset, "description", type(dataset).__name__)
        super().__init__(
            dataset, kept, f"{whole}, of which {len(broken)} images are left out as broken"
        )
        self.broken = tuple(broken)
        report = getattr(dataset, "report", None)
        self.report = report if isinstance(report, Report) else Report()
        for image in broken:
            place = image.reason + f" ({image.num_objects} objects)" * (image.num_objects > 0)
            self.report.add(f"image left out, {image.kind}", place)


def look(dataset: Dataset, index: int) -> Sample | Broken:
    """A sample whose image can be used, as far as its header tells; or what is wrong with it."""
    try:
        sample = get_sample(dataset, index)
    except DataError as error:
        return Broken(index, f"sample {index}", "unreadable annotation", str(error), 0)
    try:
        if not _seems_sound(sample):
            sample.read()
    except DataError as error:
        kind, reason = _kind_of(sample), str(error)
        return Broken(index, sample.name, kind, reason, len(sample.instances))
    return sample


def _seems_sound(sample: Sample) -> bool:
    """Whether the header alone says that the image can be used; False is no verdict."""
    if isinstance(sample.image, np.ndarray):
        return False
    header = look_at(Path(sample.image))
    if header is None or not header.whole or header.size is None:
        return False
    return header.size[0] * header.size[1] <= max_pixels() and sample.size in (None, header.size)


def _kind_of(sample: Sample) -> str:
    """What is wrong with an image that cannot be read as its sample says."""
    if not isinstance(sample.image, np.ndarray):
        if not Path(sample.image).is_file():
            return "missing"
        header = look_at(Path(sample.image))
        if header is not None and header.size is not None and not header.whole:
            return "cut off or damaged"
    try:
        read_image(sample.image, None, sample.name)
    except DataError:
        return "not an image"
    return "of another size"
