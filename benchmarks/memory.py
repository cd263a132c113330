"""Peak resident memory of one prediction on a large photograph with a hundred objects.

    python -m benchmarks.memory [--preset resnet50_fpn] [--size 3000 4000]

The weights are random and the score threshold is 0, so that all hundred places are filled. Prints
the peak after the import of TensorFlow, after the prediction, and after all masks were encoded.
"""

from __future__ import annotations

import argparse
import resource

import numpy as np

import kmaskrcnn


def peak() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="resnet50_fpn")
    parser.add_argument("--size", type=int, nargs=2, default=(3000, 4000))
    args = parser.parse_args()

    model = kmaskrcnn.MaskRCNN.from_preset(
        args.preset, [f"class {i}" for i in range(80)], norm="group", score_threshold=0.0
    )
    image = np.random.default_rng(0).integers(0, 255, (*args.size, 3)).astype(np.uint8)
    print(f"TensorFlow, model and photograph: {peak():.0f} MB")
    (found,) = model.predict(image)
    print(f"predicted, {len(found)} objects: {peak():.0f} MB")
    found.rle()
    print(f"all masks as run lengths: {peak():.0f} MB")
    found.draw()
    print(f"drawn: {peak():.0f} MB")


if __name__ == "__main__":
    main()
