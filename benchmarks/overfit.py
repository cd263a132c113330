"""A few photographs learned by heart from random weights: a loss that leaked would not get there.

    python -m benchmarks.overfit instances.json --images photos
    python -m benchmarks.overfit person_keypoints.json --images photos --keypoints --draw found.jpg

Prints box and mask AP on two photographs, or keypoint AP on four; all should pass 0.9.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import keras
import numpy as np

import kmaskrcnn
from kmaskrcnn.data import Dataset, Sample, load


class Few:
    """The chosen images of a dataset, with the classes that they show."""

    def __init__(self, dataset: Dataset, indices: list[int]):
        self.samples = [dataset[i] for i in indices]
        labels = sorted({o.label for sample in self.samples for o in sample.instances})
        self.class_names = tuple(dataset.class_names[label] for label in labels)
        self.keypoint_names = getattr(dataset, "keypoint_names", ())
        self.keypoint_skeleton = getattr(dataset, "keypoint_skeleton", ())
        self._new = {label: number for number, label in enumerate(labels)}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        objects = [replace(o, label=self._new[o.label]) for o in sample.instances]
        return replace(sample, instances=objects)


def suitable(dataset: Dataset, count: int) -> list[int]:
    """The first images of one size with two to four objects that are large enough for an outline.

    Of one size, because group norm sees the padding of a batch: what is learned with one
    padding may not be known with another.
    """
    found: dict[tuple[int, int] | None, list[int]] = {}
    for index in range(len(dataset)):
        sample = dataset[index]
        areas = [o.area or 0 for o in sample.instances if not o.crowd]
        if 2 <= len(areas) == len(sample.instances) <= 4 and min(areas) > 96**2:
            same_size = found.setdefault(sample.size, [])
            same_size.append(index)
            if len(same_size) == count:
                return same_size
    raise SystemExit("no two suitable photographs of one size: name them by --photos")


def suitable_persons(dataset: Dataset, count: int) -> list[int]:
    """The first images of one to three large persons with their keypoints inside their boxes."""
    found = []
    for index in range(len(dataset)):
        sample = dataset[index]
        persons = [o for o in sample.instances if not o.crowd]
        if 1 <= len(persons) == len(sample.instances) <= 3 and all(map(_is_clear, persons)):
            found.append(index)
            if len(found) == count:
                return found
    raise SystemExit("too few suitable photographs: name them by --photos")


def _is_clear(person: Any) -> bool:
    if person.keypoints is None or (person.area or 0) < 96**2:
        return False
    points = np.asarray(person.keypoints)[np.asarray(person.keypoints)[:, 2] > 0, :2]
    low, high = np.asarray(person.box)[:2], np.asarray(person.box)[2:]
    return len(points) >= 8 and bool(np.all((points > low) & (points < high)))


def main() -> dict[str, float]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--images")
    parser.add_argument("--photos", type=int, nargs="*", help="places in the dataset; else chosen")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--mask-size", type=int, default=56, help="28 stops at a mask AP of 0.89")
    parser.add_argument("--learning-rate", type=float, help="else the preset's")
    parser.add_argument("--keypoints", action="store_true", help="four persons' keypoints instead")
    parser.add_argument("--draw", help="a picture of what is found in the last photograph")
    args = parser.parse_args()

    keras.utils.set_random_seed(0)
    dataset = load(args.data, images=args.images)
    chosen = suitable_persons(dataset, 4) if args.keypoints else suitable(dataset, 2)
    few = Few(dataset, args.photos or chosen)
    print([str(sample.name) for sample in few.samples], few.class_names)
    model = kmaskrcnn.MaskRCNN.from_preset(
        "laptop",
        few.class_names,
        min_size=args.image_size,
        max_size=2 * args.image_size,
        anchor_sizes=((16,), (32,), (64,), (128,), (256,)),
        **(_keypoint_fields(few) if args.keypoints else {"mask_size": args.mask_size}),
    )
    started = time.perf_counter()
    model.fit(
        few,
        epochs=args.steps * 2 // len(few),
        batch_size=2,
        learning_rate=args.learning_rate,
        augmentation="none",
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
    )
    figures = model.evaluate(few, verbose=0)
    minutes = (time.perf_counter() - started) / 60
    found = [
        f"{key.replace('/', ' ')} {v:.3f}" for key, v in figures.items() if key.endswith("/AP")
    ]
    print(f"{', '.join(found)}, {minutes:.1f} min")
    if args.draw:
        model.predict(few.samples[-1].image)[0].filter(score=0.5).save(args.draw)
    return figures


def _keypoint_fields(dataset: Few) -> dict[str, Any]:
    return {
        "with_masks": False,
        "keypoint_names": dataset.keypoint_names,
        "keypoint_skeleton": dataset.keypoint_skeleton,
        "keypoint_head_channels": 128,
        "keypoint_head_num_convs": 4,
    }


def report(epoch: int, logs: dict[str, float]) -> None:
    """A line every fifty steps."""
    if (epoch + 1) % 50 == 0:
        print(epoch + 1, "  ".join(f"{k} {v:.3f}" for k, v in logs.items()), flush=True)


if __name__ == "__main__":
    main()
