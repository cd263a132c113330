"""Peak memory of a training batch: two photographs of 800×1333 with 400 objects each.

    python -m benchmarks.batch_memory [--objects 400] [--preset resnet50_fpn] [--only-input]

The objects are outlines of 40 points, 30 to 120 pixels wide, that overlap. Prints the largest
resident size of the process after the imports, after the batch was made, and after two steps of
training on it (in 32 bits, on the CPU); and what the batch's arrays hold.
"""

from __future__ import annotations

import argparse

import keras
import numpy as np

import kmaskrcnn
from kmaskrcnn import data
from kmaskrcnn.memory import peak_memory

SIZE = (800, 1333)


class Crowded:
    """Two photographs full of objects."""

    def __init__(
        self, num_objects: int, size: tuple[int, int] = SIZE, num_classes: int = 80
    ) -> None:
        self.num_objects, self.size = num_objects, size
        self.class_names = tuple(f"class {i}" for i in range(num_classes))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> data.Sample:
        rng = np.random.default_rng(index)
        image = rng.integers(0, 256, (*self.size, 3), np.uint8)
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        circle = np.column_stack([np.cos(angles), np.sin(angles)])
        instances = [
            data.Instance(
                int(rng.integers(len(self.class_names))),
                [rng.uniform([60, 60], [self.size[1] - 60, self.size[0] - 60]) + circle * radius],
            )
            for radius in rng.uniform(15, 60, self.num_objects)
        ]
        return data.Sample(image, instances, image_id=index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=400)
    parser.add_argument("--preset", default="resnet50_fpn")
    parser.add_argument("--only-input", action="store_true", help="train no step")
    args = parser.parse_args()

    crowded = Crowded(args.objects)
    print(f"imports: {peak_memory() / 1e6:.0f} MB")
    stream = data.batches(
        crowded, data.InputSize(800, 1333), data.Order(2, shuffle=True), augmentation="flip"
    )
    ((inputs, targets),) = stream
    print(f"batch made: {peak_memory() / 1e6:.0f} MB")
    for name, array in {**inputs, **targets}.items():
        print(f"  {name} {tuple(array.shape)}: {array.numpy().nbytes / 1e6:.2f} MB")
    if args.only_input:
        return
    model = kmaskrcnn.MaskRCNN.from_preset(args.preset, crowded.class_names)
    model.compile(keras.optimizers.SGD(1e-3))
    print(f"model: {peak_memory() / 1e6:.0f} MB")
    model.fit(stream, epochs=2, verbose=0)
    print(f"two steps: {peak_memory() / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
