"""The pictures of augmentation in docs/data.md.

    python tools/augmentation_pictures.py path/to/trainval.json

The photographs are those of https://github.com/Tony607/mmdetection_instance_segmentation_demo
(MIT licence): 18 of dates, figs and hazelnuts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from kmaskrcnn import Augmentation
from kmaskrcnn.data import InputSize, Report, load
from kmaskrcnn.data.augmentation import draw
from kmaskrcnn.data.augmentation.pictures import draw_truths
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.ops.drawing import contact_sheet

OUT = Path(__file__).parent.parent / "docs" / "images"
PHOTOGRAPH = 9
PLACES: dict[str, tuple[dict, int]] = {
    "as it is": ({}, 0),
    "flip = 1": ({"flip": 1.0}, 0),
    "crop = (0.6, 1)": ({"crop": (0.6, 1.0)}, 1),
    "scale = (0.8, 1.25)": ({"scale": (0.8, 1.25)}, 5),
    "rotation = 30": ({"rotation": 30.0}, 3),
    "shear = 20, translation = 0.1": ({"shear": 20.0, "translation": 0.1}, 7),
}
MIXES: dict[str, tuple[dict, int]] = {
    "color": (Augmentation.named("color").changes(), 5),
    "lsj, large": (Augmentation.named("lsj").changes(), 6),
    "lsj, small": (Augmentation.named("lsj").changes(), 2),
    "copy_paste": ({"copy_paste": 1.0}, 2),
    "lsj+copy_paste": (Augmentation.named("lsj+copy_paste").changes(), 8),
    "mosaic": ({"mosaic": 1.0}, 1),
}


def picture(source: Source, switches: dict, seed: int) -> np.ndarray:
    """The photograph through an augmentation, with its truth."""
    drawn = draw(source, PHOTOGRAPH, Augmentation(**switches), np.random.default_rng(seed))
    return draw_truths(drawn, source.dataset)


def main() -> None:
    source = Source(load(sys.argv[1]), InputSize(480, 640), Report())
    for name, cells in {"places": PLACES, "mixes": MIXES}.items():
        pictures = [picture(source, *cell) for cell in cells.values()]
        sheet = contact_sheet(pictures, list(cells), columns=3, cell_size=(240, 320))
        path = OUT / f"augmentation_{name}.jpg"
        cv2.imwrite(str(path), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 76])
        print(f"{path}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
