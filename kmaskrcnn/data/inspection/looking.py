"""A look at a dataset before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.broken import NUM_THREADS, Broken, Progress, SoundImages, look
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.inspection.anchors import advise_anchors
from kmaskrcnn.data.inspection.duplicates import Duplicates, Photograph, find_duplicates
from kmaskrcnn.data.inspection.fingerprints import fingerprint
from kmaskrcnn.data.inspection.found import Inspection
from kmaskrcnn.data.inspection.objects import NO_MASK, Problem, Seen, gather, see
from kmaskrcnn.data.inspection.training_size import advise_size
from kmaskrcnn.data.load import open_unchecked
from kmaskrcnn.data.report import Report

AT_A_TIME = 1024  # images that are in the threads' hands
TRAIN, VALIDATION = "train", "validation"


def inspect(
    dataset: Dataset | str | Path,
    images: str | Path | None = None,
    split: str | None = None,
    *,
    validation: Dataset | str | Path | None = None,
    config: MaskRCNNConfig | None = None,
    duplicates: bool = True,
    progress: Progress | None = None,
) -> Inspection:
    """Looks at every image's header and at every annotation, in several threads: what is there,
    what looks wrong, which images are there twice, which image size and anchors suit it.

    Args:
        dataset: a dataset, or a path as for ``load``: images that are missing then are no error,
            but listed.
        images, split: as for ``load``, where a path is given.
        validation: what will be validated on: classes are compared by name, photographs by looks.
        config: of the model that will be trained: its image size and its anchors; None: the
            defaults of `MaskRCNNConfig`.
        duplicates: whether images are compared with each other: each is decoded for it, coarsely.
        progress: is told how many images are done, and how many there are.

    Raises:
        DataError: a path where nothing can be opened.
    """
    parts = {TRAIN: _opened(dataset, images, split)}
    if validation is not None:
        parts[VALIDATION] = _opened(validation)
    total, done = sum(len(whole) for whole, _ in parts.values()), 0
    looks = {}
    for part, (whole, known) in parts.items():
        looks[part] = _Look(whole, known)
        for seen in _seen(whole, looks[part].unusable, duplicates):
            looks[part].add(seen)
            done += 1
            if progress is not None:
                progress(done, total)
    config = MaskRCNNConfig() if config is None else config
    twins = _duplicates(looks) if duplicates else ()
    held_out = looks[VALIDATION].result(config) if VALIDATION in looks else None
    return looks[TRAIN].result(config, held_out, twins)


def _opened(
    dataset: Dataset | str | Path,
    images: str | Path | None = None,
    split: str | None = None,
) -> tuple[Dataset, list[Broken]]:
    """A dataset with all its images, and those that are known to be broken."""
    if isinstance(dataset, (str, Path)):
        dataset = open_unchecked(dataset, images, split)
    if isinstance(dataset, SoundImages):
        return dataset.dataset, list(dataset.broken)
    return dataset, []


def _seen(dataset: Dataset, broken: set[int], compare: bool) -> Iterator[Seen | Broken | None]:
    """What there is of each image, in their order; None of those known to be broken."""
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        for start in range(0, len(dataset), AT_A_TIME):
            places = range(start, min(start + AT_A_TIME, len(dataset)))
            yield from pool.map(partial(_look_at, dataset, broken, compare), places)


def _look_at(dataset: Dataset, broken: set[int], compare: bool, index: int) -> Seen | Broken | None:
    if index in broken:
        return None
    sample = look(dataset, index)
    if isinstance(sample, Broken):
        return sample
    try:
        print_of_it = fingerprint(sample) if compare else None
    except DataError as error:  # its header promised too much
        count = len(sample.instances)
        return Broken(index, sample.name, "cut off or damaged", str(error), count)
    return see(sample, index, len(dataset.class_names), print_of_it)


class _Look:
    """What was seen of a dataset so far."""

    def __init__(self, dataset: Dataset, broken: Sequence[Broken]) -> None:
        self.dataset = dataset
        self.broken = list(broken)
        self.unusable = {image.index for image in broken}
        self.seen: list[Seen] = []

    def add(self, seen: Seen | Broken | None) -> None:
        """One more image."""
        if isinstance(seen, Broken):
            self.broken.append(seen)
        elif seen is not None:
            self.seen.append(seen)

    def result(
        self,
        config: MaskRCNNConfig,
        validation: Inspection | None = None,
        duplicates: tuple[Duplicates, ...] = (),
    ) -> Inspection:
        """What was counted."""
        labels = range(len(self.dataset.class_names))
        objects = Counter(label for image in self.seen for label in image.labels)
        images = Counter(label for image in self.seen for label in set(image.labels))
        sizes = np.array([image.size for image in self.seen], int).reshape(-1, 2)
        boxed = gather(self.seen)
        return Inspection(
            dataset=self.dataset,
            description=getattr(self.dataset, "description", type(self.dataset).__name__),
            class_names=tuple(self.dataset.class_names),
            class_objects=tuple(objects[label] for label in labels),
            class_images=tuple(images[label] for label in labels),
            sizes=sizes,
            num_objects=np.array([image.num_objects for image in self.seen], int),
            areas=np.array([area for image in self.seen for area in image.areas], float),
            num_crowds=sum(image.num_crowds for image in self.seen),
            broken=tuple(sorted(self.broken, key=lambda image: image.index)),
            problems=(*self._problems(), *self._same_names()),
            repairs=_repairs(self.dataset),
            config=config,
            objects=boxed,
            size_advice=advise_size(boxed, sizes, config),
            anchor_advice=advise_anchors(boxed, sizes, config),
            duplicates=duplicates,
            validation=validation,
        )

    def _problems(self) -> Iterator[Problem]:
        """Of the annotations; that some have no mask only where others have one."""
        any_masks = any(image.num_masks for image in self.seen)
        for image in self.seen:
            yield from (p for p in image.problems if any_masks or p.kind != NO_MASK)

    def _same_names(self) -> list[Problem]:
        found = []
        names: dict[str, Counter[str]] = {}  # file name → path → how often
        for image in self.seen:
            if image.is_file:
                names.setdefault(Path(image.file).name, Counter())[image.file] += 1
        for name, paths in names.items():
            for path, count in paths.items():
                if count > 1:
                    found.append(Problem("image listed twice", path, None, f"{count} times"))
            if len(paths) > 1:
                places = ", ".join(list(paths)[:3])
                found.append(Problem("file name in several folders", name, None, places))
        return found


def _repairs(dataset: Dataset) -> dict[str, list[str]]:
    """What the dataset's report holds, without the images that are listed as broken."""
    report = getattr(dataset, "report", None)
    if not isinstance(report, Report):
        return {}
    kinds = [kind for kind in report.counts if not kind.startswith("image left out")]
    return {kind: report.places(kind) for kind in kinds}


def _duplicates(looks: dict[str, _Look]) -> tuple[Duplicates, ...]:
    photographs = [
        Photograph(part, image.index, image.file, image.fingerprint)
        for part, one in looks.items()
        for image in one.seen
        if image.fingerprint is not None
    ]
    return find_duplicates(photographs, lambda photo: looks[photo.part].dataset[photo.index])
