"""`kmaskrcnn predict`: a picture and a LabelMe file of each image, and COCO results of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kmaskrcnn
from kmaskrcnn.commands.output import write_json
from kmaskrcnn.commands.precision import model_of
from kmaskrcnn.data import image_sources
from kmaskrcnn.progress import console, counted


@dataclass(frozen=True)
class Summary:
    """What came of the images: how many of them, of which objects, where it lies, what failed."""

    images: int
    objects: int
    objects_by_class: dict[str, int]
    pictures: Path
    coco: Path
    failed: dict[str, str]
    labelme: Path | None = None
    labelme_kept: int = 0  # files that were there before, perhaps corrected by hand


def run(
    model_file: Path,
    inputs: Sequence[str | Path],
    out: Path,
    score: float,
    coco: Path | None,
    labelme: Path | None = None,
    precision: str | None = None,
) -> Summary:
    """Writes a picture and, if asked for, a LabelMe file of each image's objects, and COCO results.

    Raises:
        ValueError: there is no image among the inputs.
    """
    paths = list(dict.fromkeys(image_sources(list(inputs))))
    model = model_of(model_file, precision)
    coco = coco or out / "predictions.json"
    results: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    objects: Counter[str] = Counter()
    names, kept = picture_names(paths), 0
    for path in counted(paths, "predicting", len(paths)):
        try:
            found = model.predict(path)[0].filter(score=score)
        except (ValueError, OSError) as error:
            failed[str(path)] = str(error)
            continue
        found.save(out / names[path], image=path)
        if labelme is not None:
            kept += not write_labelme(found.replaced(image=path), labelme / names[path])
        results += found.to_coco(image_id(path, paths))
        objects.update(found.names)
    write_json(coco, results)
    done = len(paths) - len(failed)
    counts = dict(objects.most_common())
    return Summary(done, len(results), counts, out, coco, failed, labelme, kept)


def write_labelme(found: kmaskrcnn.Detections, picture: Path) -> bool:
    """Writes a LabelMe file of the picture's name; False where one is there already."""
    path = picture.with_suffix(".json")
    if path.exists():
        return False
    found.save(path, format="labelme")
    return True


def show(done: Summary) -> None:
    """How much was found, and where to look."""
    named = ", ".join(f"{count} {name}" for name, count in done.objects_by_class.items())
    console.print(
        f"{done.objects} objects in {done.images} images{named and f' ({named})'}: "
        f"pictures in {done.pictures}, COCO in {done.coco}."
    )
    if done.labelme is not None:
        kept = f", {done.labelme_kept} that were there are kept" if done.labelme_kept else ""
        console.print(f"LabelMe files in {done.labelme}{kept}.")


def complain(done: Summary) -> None:
    """Raises ValueError if images failed, with each; the others are done all the same."""
    if done.failed:
        total = done.images + len(done.failed)
        lines = [f"  {path}: {error}" for path, error in done.failed.items()]
        raise ValueError("\n".join([f"{len(done.failed)} of {total} images failed:", *lines]))


def picture_names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each picture, ``deer.jpg`` of ``a/deer.png``; a number tells equal ones apart."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        name, number = f"{path.stem}.jpg", 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}.jpg"
        taken.add(name)
        names[path] = name
    return names


def image_id(path: Path, paths: Sequence[Path]) -> int | str:
    """COCO's number of ``000000000139.jpg``, else the file name; the path where names repeat."""
    if sum(other.name == path.name for other in paths) > 1:
        return str(path)
    return int(path.stem) if path.stem.isdecimal() else path.name
