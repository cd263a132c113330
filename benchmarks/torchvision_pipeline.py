"""torchvision's reference input pipeline for Mask R-CNN, timed on demand by `input_pipeline`.

Runs in a Python that has torch, torchvision and pycocotools, and imports nothing else. Each line on
its input asks for one timed pass; the answer is a line with the images a second.

As in torchvision's references/detection: ``CocoDetection`` wrapped for the v2 transforms, the
training preset, a ``DataLoader`` whose collation leaves lists. The shorter side is drawn from
640 … 800 (the preset draws from 480 … 800 and leaves it to the model to come to 800).
"""

import contextlib
import json
import sys
import time

import torch
from torch.utils.data import DataLoader, Subset
from torchvision import tv_tensors
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.transforms import v2

SIDES = tuple(range(640, 801, 32))
SKIPPED = 4  # batches, until the workers are under way


def transforms(backend: str) -> v2.Compose:
    """The preset: short edge, mirror, float, boxes that still are some."""
    as_tensor = {"pil": [], "tv_tensor": [v2.ToImage()]}[backend]
    return v2.Compose(
        [
            *as_tensor,
            v2.RandomShortestSize(min_size=SIDES, max_size=1333),
            v2.RandomHorizontalFlip(0.5),
            *([v2.PILToTensor()] if backend == "pil" else []),
            v2.ToDtype(torch.float, scale=True),
            v2.ConvertBoundingBoxFormat(tv_tensors.BoundingBoxFormat.XYXY),
            v2.SanitizeBoundingBoxes(),
            v2.ToPureTensor(),
        ]
    )


def collate(batch: list) -> tuple:
    """Images and targets as tuples of their own."""
    return tuple(zip(*batch, strict=True))


def with_objects(dataset: CocoDetection) -> list[int]:
    """The images that the reference trains on: those with a box of more than a pixel."""
    coco = dataset.coco
    boxes = {i: [a["bbox"] for a in coco.imgToAnns[i]] for i in dataset.ids}
    return [n for n, i in enumerate(dataset.ids) if any(min(b[2:]) > 1 for b in boxes[i])]


def loader(images: str, annotations: str, backend: str, passes: int, workers: int) -> DataLoader:
    """The reference's loader over the data set, ``passes`` times."""
    plain = CocoDetection(images, annotations, transforms=transforms(backend))
    wrapped = wrap_dataset_for_transforms_v2(
        plain, target_keys=["boxes", "labels", "image_id", "masks"]
    )
    return DataLoader(
        Subset(wrapped, with_objects(plain) * passes),
        batch_size=2,
        shuffle=True,
        num_workers=workers,
        collate_fn=collate,
        persistent_workers=True,
    )


def images_per_second(batches: DataLoader) -> float:
    """Of one pass, from the batch after the skipped ones on."""
    count = 0
    for number, (images, _) in enumerate(batches):
        if number == SKIPPED:
            begun = time.perf_counter()
        elif number > SKIPPED:
            count += len(images)
    return count / (time.perf_counter() - begun)


def main() -> None:
    options = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(sys.stderr):  # pycocotools prints how far it is
        batches = loader(**options)
    for _ in sys.stdin:
        print(images_per_second(batches), flush=True)


if __name__ == "__main__":
    main()
