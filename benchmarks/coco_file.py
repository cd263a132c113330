"""A COCO file as large as one likes, drawn at random, of instances_train2017's kind.

    python -m benchmarks.coco_file FILE [--images 118287] [--annotations 860001] [--files]

Photographs of four usual sizes; objects of one to three polygons of 10 to 60 points each (24 on
average), one in a hundred a crowd in uncompressed run lengths; 80 classes. The outlines are drawn
from 20,000 different ones. ``--files`` lays an empty file where each photograph would be.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

IMAGES, ANNOTATIONS = 118_287, 860_001  # of instances_train2017
SIZES = ((480, 640), (427, 640), (640, 480), (375, 500))  # height, width
OUTLINES = 20_000


def write(path: Path, images: int = IMAGES, annotations: int = ANNOTATIONS, seed: int = 0) -> None:
    """Writes the file.

    Args:
        path: of the JSON.
        images, annotations: how many of each.
        seed: other seeds draw other files.
    """
    rng = np.random.default_rng(seed)
    count = max(1, min(OUTLINES, annotations) // len(SIZES))
    outlines = [[outline(rng, size) for _ in range(count)] for size in SIZES]
    with path.open("w") as file:
        file.write('{"info": {"description": "drawn at random"},"licenses": [],"images": [')
        file.write(",".join(image_records(images)))
        file.write('],"annotations": [')
        file.writelines(annotation_records(rng, outlines, images, annotations))
        file.write('],"categories": [')
        rows = (f'{{"supercategory": "thing","id": {i},"name": "class {i}"}}' for i in range(1, 81))
        file.write(",".join(rows) + "]}")


def image_records(images: int) -> Iterator[str]:
    """One record an image, with all of COCO's keys."""
    for number in range(images):
        height, width = SIZES[number % len(SIZES)]
        name = f"{number:012}.jpg"
        yield (
            f'{{"license": 4,"file_name": "{name}","coco_url": "http://images.example/{name}",'
            f'"height": {height},"width": {width},"date_captured": "2013-11-14 17:02:52",'
            f'"flickr_url": "http://photographs.example/{number}_z.jpg","id": {number}}}'
        )


def annotation_records(
    rng: np.random.Generator, outlines: list[list[str]], images: int, annotations: int
) -> Iterator[str]:
    """One record an object, of random images in random order, as COCO's are."""
    owners = rng.integers(images, size=annotations).tolist()
    choices = rng.integers(len(outlines[0]), size=annotations).tolist()
    classes = rng.integers(1, 81, size=annotations).tolist()
    for number, (image, choice, label) in enumerate(zip(owners, choices, classes, strict=True)):
        yield (
            f"{',' * (number > 0)}{{{outlines[image % len(SIZES)][choice]},"
            f'"image_id": {image},"category_id": {label},"id": {number + 1}}}'
        )


def outline(rng: np.random.Generator, size: tuple[int, int]) -> str:
    """Segmentation, area, box and crowd of an object in an image of ``size``, as JSON."""
    if rng.random() < 0.01:
        return crowd(rng, size)
    rings = [ring(rng, size) for _ in range(rng.choice([1, 2, 3], p=[0.85, 0.1, 0.05]))]
    points = np.concatenate(rings)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    text = ",".join("[" + ",".join(f"{v:.10g}" for v in r.reshape(-1)) + "]" for r in rings)
    box = f"[{left:.10g},{top:.10g},{right - left:.4g},{bottom - top:.4g}]"
    area = (right - left) * (bottom - top) * 0.6
    return f'"segmentation": [{text}],"area": {area:.17g},"iscrowd": 0,"bbox": {box}'


def ring(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A star-shaped polygon (P, 2) of 10 to 60 points, rounded to hundredths of pixels."""
    count = min(10 + int(rng.exponential(14)), 60)
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    limit = np.array(size[::-1])
    radius = rng.uniform(0.01, 0.3) * min(size)
    centre = rng.uniform(radius, limit - radius)
    away = radius * rng.uniform(0.6, 1.0, len(angles))
    rim = np.stack([np.cos(angles), np.sin(angles)], 1) * away[:, None]
    return np.round(np.clip(centre + rim, 0, limit), 2)


def crowd(rng: np.random.Generator, size: tuple[int, int]) -> str:
    """A band of columns with gaps as uncompressed run lengths."""
    height, width = size
    columns = int(rng.integers(20, width // 2))
    first = int(rng.integers(0, width - columns))
    inside = int(rng.integers(10, height))
    runs = [first * height, *[inside, height - inside] * columns]
    runs[-1] += (width - first - columns) * height
    return (
        f'"segmentation": {{"counts": {runs},"size": [{height},{width}]}},'
        f'"area": {inside * columns},"iscrowd": 1,"bbox": [{first},0,{columns},{inside}]'
    )


def lay_empty_files(folder: Path, images: int) -> None:
    """An empty file for each photograph: only whether it is there is looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(images):
        (folder / f"{number:012}.jpg").touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--annotations", type=int, default=ANNOTATIONS)
    parser.add_argument("--files", action="store_true", help="empty files beside it, in images/")
    args = parser.parse_args()
    write(args.file, args.images, args.annotations)
    if args.files:
        lay_empty_files(args.file.parent / "images", args.images)


if __name__ == "__main__":
    main()
