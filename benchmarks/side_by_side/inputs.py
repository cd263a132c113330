"""What all contestants compute on: weights, photographs and truth, as NumPy files of one folder.

`weights.npz`: all parameters of torchvision's Mask R-CNN (R50-FPN, 91 classes), by its names;
`photo.npy`: (800, 1088, 3) uint8 RGB; `photos_512.npy`: (8, 512, 512, 3);
`train_512.npz`, `train_800.npz`: `images` (2, H, W, 3), `boxes` (2, 20, 4) x1 y1 x2 y2, `labels`
(2, 20), of which 0 would be the background, `masks` (2, 20, H, W) bool;
`truth.json`, `results.json`: a COCO file of 200 images and 100 detections with masks of each.

The weights are drawn from a seed: the detector finds nothing sensible, but a hundred objects, and
every contestant that computes the same network finds the same ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from benchmarks import coco_file
from benchmarks.evaluate_coco import write_results
from tests.parity.case import Case, ellipses

PHOTOGRAPHS = ("coffee", "astronaut", "chelsea", "rocket")  # in scikit-image's wheel
NUM_CLASSES = 91  # the background is one of them, as torchvision counts
OBJECTS = 20  # of a training image
SIZES = {"train_512": (512, 512), "train_800": (800, 1088)}  # height, width
IMAGES = 200  # that are evaluated, with about as many objects as COCO's
WEIGHTS = "parity/torchvision_maskrcnn_resnet50_fpn"  # in the folder of the references
GARDEN_WEIGHTS = "parity/torchvision_maskrcnn_resnet50_fpn_v2"
MATTERPORT_WEIGHTS = Path(__file__).parent / "seeded_matterport"


def write(folder: Path) -> None:
    """Makes the files that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    makers = {
        "weights.npz": lambda path: np.savez(path, **reference(WEIGHTS).weights()),
        "matterport_weights.npz": lambda path: np.savez(path, **Case(MATTERPORT_WEIGHTS).weights()),
        "garden_weights.npz": lambda path: np.savez(path, **reference(GARDEN_WEIGHTS).weights()),
        "photo.npy": lambda path: np.save(path, photograph(0, 800, 1088)),
        "photos_512.npy": lambda path: np.save(path, [photograph(i, 512, 512) for i in range(8)]),
    }
    for name in SIZES:
        makers[f"{name}.npz"] = lambda path, size=SIZES[name]: np.savez(path, **truth(*size))
    makers["truth.json"] = lambda path: coco_file.write(path, IMAGES, 7 * IMAGES)
    makers["results.json"] = lambda path: write_results(folder / "truth.json", path, masks=True)
    for name, make in makers.items():
        if not (folder / name).exists():
            unfinished = folder / f"unfinished_{name}"
            make(unfinished)
            unfinished.rename(folder / name)


def reference(name: str) -> Case:
    """A case of the references, which says how its weights are drawn.

    Raises:
        SystemExit: the environment does not name their folder.
    """
    shared = os.environ.get("KMASKRCNN_SHARED")
    if not shared:
        sys.exit(f"Set KMASKRCNN_SHARED to the folder of the references, which holds {name}.")
    return Case(Path(shared, name))


def photograph(number: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3) uint8 RGB; from the second time on that a photograph comes, mirrored."""
    name = PHOTOGRAPHS[number % len(PHOTOGRAPHS)]
    image = getattr(skimage.data, name)()[:, :: 1 if number < len(PHOTOGRAPHS) else -1]
    return cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_AREA)


def truth(height: int, width: int) -> dict[str, np.ndarray]:
    """A batch of two images with twenty ellipses each."""
    drawn = [ellipses(height, width, seed, NUM_CLASSES, OBJECTS) for seed in (1, 2)]
    boxes, labels, masks = (np.stack(column) for column in zip(*drawn, strict=True))
    images = np.stack([photograph(i, height, width) for i in range(2)])
    return {"images": images, "boxes": boxes, "labels": labels, "masks": masks}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
