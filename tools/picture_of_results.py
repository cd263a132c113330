"""The picture in docs/detections.md: one photograph, and what its results can do.

python tools/picture_of_results.py MODEL.keras PHOTO docs/images/detections.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import kmaskrcnn
from kmaskrcnn.ops import drawing

SIDE = 620  # pixels of a panel's longer side


def main(model: str, photo: str, out: str) -> None:
    """Finds the objects of ``photo`` and writes four panels."""
    found = kmaskrcnn.load(model).predict(photo)[0].filter(score=0.5)
    image = drawing.fit(drawing.as_rgb(photo), (SIDE, SIDE))
    large = found.replaced(image=None).resized(image.shape[:2]).replaced(image=image)
    panels = {
        f"draw(): {len(found)} objects": large.draw(),
        "label_map(): overlaps go to the higher score": colored(large.label_map()),
        "measure(): centroid, orientation, axes": axes(large, image),
        "cutouts()": mosaic(large.sorted("area"), image.shape[:2]),
    }
    sheet = drawing.contact_sheet(
        panels.values(), list(panels), columns=2, cell_size=image.shape[:2], gap=10
    )
    Path(out).write_bytes(drawing.encode_picture(sheet, Path(out).suffix))


def colored(label_map: np.ndarray) -> np.ndarray:
    """(H, W, 3): a colour for each number, the background dark."""
    colors = [(24, 24, 28), *(drawing.color_of(i) for i in range(label_map.max()))]
    return np.array(colors, np.uint8)[label_map]


def axes(found: kmaskrcnn.Detections, image: np.ndarray) -> np.ndarray:
    """The ellipses that are measured, with both axes, on the paled image."""
    picture = (0.5 * image + 127).astype(np.uint8)
    for values in found.filter(at_edge=False).to_pandas(measurements=True).itertuples():
        centre = np.array([values.centroid_x, values.centroid_y]) - 0.5  # as OpenCV counts
        along = np.array([np.cos(values.orientation), np.sin(values.orientation)])
        across = np.array([-along[1], along[0]])
        for axis in (along * values.major_axis / 2, across * values.minor_axis / 2):
            ends = np.round(16 * np.stack([centre - axis, centre + axis])).astype(int).tolist()
            cv2.line(picture, ends[0], ends[1], (200, 30, 60), 2, cv2.LINE_AA, 4)
        box = (centre.tolist(), (values.major_axis, values.minor_axis))
        cv2.ellipse(picture, (*box, np.rad2deg(values.orientation)), (20, 60, 160), 2, cv2.LINE_AA)
    return picture


def mosaic(found: kmaskrcnn.Detections, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3): the largest objects on white, as many as fit."""
    columns, rows = 7, 5
    cell = (size[0] // rows - 8, size[1] // columns - 8)
    pieces = []
    for piece in found[: rows * columns].cutouts(margin=2):
        opaque = piece[..., 3:] / 255
        pieces.append((opaque * piece[..., :3] + (1 - opaque) * 250).astype(np.uint8))
    return drawing.contact_sheet(pieces, columns=columns, cell_size=cell, gap=8)


if __name__ == "__main__":
    main(*sys.argv[1:])
