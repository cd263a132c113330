"""Our arrays in a reference's order: its channels, its classes, its y before x."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Order:
    """In what a reference's arrays differ from ours."""

    background_first: bool  # class 0, and with box deltas of its own
    bgr: bool
    vertical_first: bool  # y before x, in boxes and deltas
    normalised: bool  # boxes over (side - 1), as ours are then, too

    def image(self, images: np.ndarray) -> np.ndarray:
        """(B, H, W, 3) RGB → its channels."""
        return images[..., ::-1] if self.bgr else images

    def axes(self, boxes: np.ndarray) -> np.ndarray:
        """(…, 4) x y x y or dx dy dw dh → its order of them."""
        return boxes[..., [1, 0, 3, 2]] if self.vertical_first else boxes

    def class_logits(self, logits: np.ndarray) -> np.ndarray:
        """(N, C + 1), ours with the background last."""
        return np.roll(logits, 1, axis=1) if self.background_first else logits

    def box_deltas(self, deltas: np.ndarray) -> np.ma.MaskedArray:
        """(N, C, 4) → with a masked row for the background, where it has one."""
        deltas = np.ma.asarray(self.axes(deltas))
        if not self.background_first:
            return deltas
        nothing = np.ma.masked_all((len(deltas), 1, 4), deltas.dtype)
        return np.ma.concatenate([nothing, deltas], axis=1)

    def labels(self, labels: np.ndarray) -> np.ndarray:
        """Its class numbers of ours."""
        return labels + self.background_first

    def pixels(self, boxes: np.ndarray, input_shape: tuple[int, int]) -> np.ndarray:
        """Our network's boxes (…, 4) x1 y1 x2 y2 → pixels of the padded input (height, width)."""
        if not self.normalised:
            return boxes
        height, width = input_shape
        return boxes * np.float32([width - 1, height - 1] * 2) + np.float32([0, 0, 1, 1])


ORDERS = {
    "torchvision": Order(True, bgr=False, vertical_first=False, normalised=False),
    "detectron2": Order(False, bgr=True, vertical_first=False, normalised=False),
    "matterport": Order(True, bgr=False, vertical_first=True, normalised=True),
}


def level(feature: str) -> str:
    """Our name of a feature map: ``0`` → P2, ``pool`` → P6, ``p3`` → P3, ``res4`` → C4."""
    if feature == "pool":
        return "P6"
    if feature.isdigit():
        return f"P{int(feature) + 2}"
    return re.sub(r"^res", "C", feature).upper()
