"""Images a second of the training's input, beside torchvision's reference pipeline.

    python -m benchmarks.input_pipeline DATA --torch-python PYTHON [--rounds 5] [--cache 2GB]

DATA is a COCO folder (instances.json, images/); PYTHON has torch, torchvision and pycocotools;
nothing is installed. Both make batches of two photographs at 640 … 800 / 1333, mirrored at random,
with boxes and masks; one with two threads, one with two worker processes. They take turns, so that
a busy machine slows both, and each round gives one ratio. Without --torch-python ours alone is
timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

SKIPPED = 4  # batches, until the threads are under way
WORKERS = 2


class Turn:
    """A process that waits for its turn, and answers with images a second."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def images_per_second(self) -> float:
        """Of one pass through the data."""
        print("go", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args[:3]} ended with {self.process.wait()}")
        return float(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def ours(args: argparse.Namespace) -> None:
    """What the process of our side does: a timed pass for each line of its input."""
    from kmaskrcnn import data

    whole = data.load(args.data)
    used = [index for index in range(len(whole)) if whole[index].instances]
    stream = data.batches(
        data.Subset(whole, used * args.passes),
        data.InputSize(800, 1333),
        data.Order(batch_size=2, shuffle=True),
        augmentation=args.augment,
        num_threads=WORKERS,
        cache=args.cache,
    )
    for _ in sys.stdin:
        count = 0
        for number, (inputs, _) in enumerate(stream):
            if number == SKIPPED:
                begun = time.perf_counter()
            elif number > SKIPPED:
                count += len(inputs["images"])
        print(count / (time.perf_counter() - begun), flush=True)


def theirs(args: argparse.Namespace) -> Turn:
    """torchvision's process."""
    options = {
        "images": str(args.data / "images"),
        "annotations": str(args.data / "instances.json"),
        "backend": args.backend,
        "passes": args.passes,
        "workers": WORKERS,
    }
    script = Path(__file__).with_name("torchvision_pipeline.py")
    return Turn(str(args.torch_python), "-u", str(script), json.dumps(options))


def compare(args: argparse.Namespace) -> None:
    """Rounds in turn; prints each, then the median and the spread."""
    one = Turn(sys.executable, "-m", "benchmarks.input_pipeline", *sys.argv[1:], "--ours")
    other = theirs(args) if args.torch_python else None
    ratios = []
    for number in range(-1, args.rounds):
        speed = one.images_per_second()
        text = f"ours {speed:.1f} images/s"
        if other is not None:
            reference = other.images_per_second()
            ratios.append(speed / reference)
            text += f", torchvision {reference:.1f}, ratio {ratios[-1]:.2f}"
        print("warm-up:" if number < 0 else f"round {number + 1}:", text, flush=True)
    one.close()
    if other is not None:
        other.close()
        ratios = ratios[1:]
        print(
            f"ratio: median {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} … {max(ratios):.2f} in {len(ratios)} rounds)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--torch-python", type=Path)
    parser.add_argument("--backend", choices=["pil", "tv_tensor"], default="pil")
    parser.add_argument("--augment", default="detectron2")
    parser.add_argument("--cache", default="0", metavar="SIZE", help="of ours")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=2, help="through the data in a round")
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    ours(args) if args.ours else compare(args)


if __name__ == "__main__":
    main()
