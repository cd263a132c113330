"""Training on data in a format of your own: a dataset is two methods and a list of names.

    python examples/own_dataset.py

This one reads a folder with `photos/NAME.png` and, for each, `outlines/NAME.csv`: a line for each
object, `class,x1,y1,x2,y2,…`, the corners of its outline in pixels. The folder is made first, so
that the example runs as it is. About a minute on two cores; it shows the way and learns little.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import cv2
import numpy as np

import kmaskrcnn
from kmaskrcnn.data import Instance, Sample


class Outlines:
    """What `fit`, `evaluate` and the rest take: `class_names`, a length, and samples by number."""

    class_names = ("leaf", "stone")

    def __init__(self, folder: Path):
        self.folder = folder
        self.photos = sorted((folder / "photos").glob("*.png"))

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, index: int) -> Sample:
        photo = self.photos[index]
        instances = []
        with (self.folder / "outlines" / f"{photo.stem}.csv").open() as file:
            for name, *corners in csv.reader(file):
                outline = np.array(corners, dtype=float).reshape(-1, 2)
                instances.append(Instance(self.class_names.index(name), [outline]))
        return Sample(photo, instances)


def make_folder(folder: Path, count: int) -> None:
    """Photographs, so to say: a green ellipse and a grey rhombus at random places."""
    rng = np.random.default_rng(0)
    for name in ("photos", "outlines"):
        (folder / name).mkdir(parents=True)
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    for number in range(count):
        image = rng.integers(60, 90, (96, 128, 3)).astype(np.uint8)
        leaf = rng.uniform(20, 76, 2) + np.stack([16 * np.cos(turn), 9 * np.sin(turn)], axis=1)
        stone = rng.uniform(20, 76, 2) + np.array([[-12, 0], [0, -12], [12, 0], [0, 12]])
        lines = []
        for name, outline, colour in (("leaf", leaf, (60, 190, 60)), ("stone", stone, (170,) * 3)):
            cv2.fillPoly(image, [np.round(outline).astype(np.int32)], colour)
            lines.append(",".join([name, *(f"{v:.1f}" for v in outline.ravel())]))
        cv2.imwrite(str(folder / "photos" / f"{number:03}.png"), image)
        (folder / "outlines" / f"{number:03}.csv").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make_folder(Path(name, "data"), args.images)
        dataset = Outlines(Path(name, "data"))
        model = kmaskrcnn.MaskRCNN.from_preset(args.preset, class_names=dataset.class_names)
        model.fit(dataset, validation_data=dataset, epochs=args.epochs, batch_size=4)
        print(model.predict(dataset.photos[0])[0])


if __name__ == "__main__":
    main()
