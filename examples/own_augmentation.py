"""An augmentation of your own: a function of the image, what is seen of it, and chance.

    python examples/own_augmentation.py --out runs/own_augmentation

Two minutes on two cores; writes `seen.png`, the same photograph six times as the network sees it
with boxes and masks, and expects a mask AP of about 0.25 on shapes never seen.

Change colours in the image, and places in the view: it is the one matrix that pixels, boxes, masks
and keypoints go through, so they cannot come apart.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import kmaskrcnn
from kmaskrcnn.data import InputSize, Order, ShapesDataset, batches
from kmaskrcnn.data.geometry import View, flip, rotate
from kmaskrcnn.ops import drawing, masks, regions


def turned_and_dimmed(image: np.ndarray, view: View, rng: np.random.Generator):
    """Mirrors every second image, turns all by up to 30 degrees, and makes them darker or lighter.

    `image` is (H, W, 3) uint8, the whole one; `view` leads to the network's input; `rng` depends
    on the seed, the epoch and the image alone, so that a training can be repeated.
    """
    image = np.clip(image * rng.uniform(0.6, 1.4), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        view = flip(view)
    return image, rotate(view, rng.uniform(-30, 30))


def seen_by_the_network(dataset, epochs: int) -> np.ndarray:
    """The first sample as it is in several epochs, truth drawn on it."""
    stream = batches(
        dataset, InputSize(256, 256), Order(batch_size=1), augmentation=turned_and_dimmed
    )
    pictures = []
    for _ in range(epochs):  # each iteration is the next epoch
        inputs, targets = next(stream.as_numpy_iterator())
        objects = np.flatnonzero(targets["labels"][0] >= 0)
        windows, offsets = targets["mask_windows"][0], targets["mask_offsets"][0]
        truth = [
            regions.Region(
                tuple(windows[i]),
                masks.unpack_mask(targets["mask_bytes"][0], windows[i], offsets[i]),
            )
            for i in objects
        ]
        boxes = targets["boxes"][0][objects]
        pictures.append(
            drawing.draw_instances(inputs["images"][0], boxes, region_of=truth.__getitem__)
        )
    return drawing.contact_sheet(pictures, columns=3, cell_size=(256, 256))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/own_augmentation"))
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()

    train, unseen = ShapesDataset(args.images, seed=0), ShapesDataset(args.images // 8 + 1, seed=1)
    args.out.mkdir(parents=True, exist_ok=True)
    sheet = seen_by_the_network(ShapesDataset(1, seed=0), epochs=6)
    cv2.imwrite(str(args.out / "seen.png"), sheet[..., ::-1])

    model = kmaskrcnn.MaskRCNN.from_preset(args.preset, train.class_names)
    model.fit(train, epochs=args.epochs, batch_size=4, augmentation=turned_and_dimmed)
    print(f"mask AP {model.evaluate(unseen)['mask/AP']:.2f}")


if __name__ == "__main__":
    main()
