"""What the learning-rate finder suggests where a right rate is known.

``python -m benchmarks.learning_rate``: the ``laptop`` preset on drawn shapes with each optimizer,
and the rates that its whole trainings use beside.
"""

import argparse

from kmaskrcnn import MaskRCNN, find_learning_rate
from kmaskrcnn.data import ShapesDataset
from kmaskrcnn.training import default_optimizer

BATCH_SIZE = 4


def rate_in_use(model: MaskRCNN) -> float:
    """The peak of the default schedule."""
    schedule = default_optimizer(model.config, 100, BATCH_SIZE).get_config()["learning_rate"]
    return schedule["config"]["base_rate"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    steps = parser.parse_args().steps
    shapes = ShapesDataset(300, image_size=(64, 64))
    fields = {"min_size": 64, "max_size": 64}
    for optimizer, rate in (("adamw", {}), ("sgd", {"learning_rate": None})):
        model = MaskRCNN.from_preset(
            "laptop", shapes.class_names, optimizer=optimizer, **rate, **fields
        )
        curve = find_learning_rate(model, shapes, num_steps=steps, batch_size=BATCH_SIZE)
        print(f"{optimizer}: in use {rate_in_use(model):.2g}; {curve}", flush=True)


if __name__ == "__main__":
    main()
