"""`kmaskrcnn predict`: a picture of each image, and COCO results of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import kmaskrcnn
from kmaskrcnn.commands.output import write_json
from kmaskrcnn.data import image_sources
from kmaskrcnn.progress import console, counted


def run(
    model_file: Path, inputs: Sequence[Path], out: Path, score: float, json_file: Path | None
) -> None:
    """Writes a picture of each image's objects, and COCO results of all.

    Raises:
        ValueError: there is no image among the inputs, or some could not be read; the others are
            done all the same.
    """
    paths = list(dict.fromkeys(image_sources(list(inputs))))
    model = kmaskrcnn.load(model_file)
    results, problems = [], []
    names = picture_names(paths)
    for path in counted(paths, "predicting", len(paths)):
        try:
            found = model.predict(path)[0].filter(score=score)
        except (ValueError, OSError) as error:
            problems.append(f"  {path}: {error}")
            continue
        found.save(out / names[path], image=path)
        results += found.to_coco(image_id(path, paths))
    json_file = json_file or out / "predictions.json"
    write_json(json_file, results)
    done = len(paths) - len(problems)
    console.print(
        f"{len(results)} objects in {done} images: pictures in {out}, COCO in {json_file}."
    )
    if problems:
        raise ValueError("\n".join([f"{len(problems)} of {len(paths)} images failed:", *problems]))


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
