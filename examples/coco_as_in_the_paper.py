"""Mask R-CNN with ResNet-50 and FPN on COCO, as in the paper: one script from files to AP.

    python examples/coco_as_in_the_paper.py /data/coco --out runs/coco

/data/coco holds `annotations/instances_train2017.json`, `…val2017.json`, and the photographs in
`train2017/` and `val2017/`. The paper: SGD with momentum 0.9, weight decay 0.0001, 16 images a
step at a rate of 0.02, short edge 800. The schedule is the published "1×": 90,000 steps of 16, so
1.44 million images, a tenth of the rate after 60,000 and 80,000. Detectron2's own model of this
schedule reaches box AP 38.6, mask AP 35.2 on val2017; expect that region. It takes a day on eight
GPUs and has not been run in full with this script. `--batch-size 2` fits one GPU of 8 GB.
"""

import argparse
from pathlib import Path

import keras

import kmaskrcnn
from kmaskrcnn.training import ValidationPictures, WarmupSteps

PAPER_BATCH, PAPER_RATE = 16, 0.02
DROPS = (60_000 / 90_000, 80_000 / 90_000)


def optimizer_of_paper(config, steps: int, batch_size: int) -> keras.optimizers.Optimizer:
    """SGD whose rate is linear in the batch (Goyal et al. 2017), with the paper's two drops."""
    rate = WarmupSteps(
        PAPER_RATE * batch_size / PAPER_BATCH,
        warmup_steps=min(config.warmup_steps * PAPER_BATCH // batch_size, steps // 4 + 1),
        boundaries=[round(share * steps) for share in DROPS],
    )
    # Keras decays weights apart from the momentum: the paper's coefficient over 1 - momentum.
    decay = config.weight_decay / (1 - config.momentum)
    optimizer = keras.optimizers.SGD(rate, momentum=config.momentum, weight_decay=decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("coco", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/coco"))
    parser.add_argument("--batch-size", type=int, default=PAPER_BATCH)
    parser.add_argument("--images-seen", type=int, default=90_000 * PAPER_BATCH)
    parser.add_argument("--preset", default="resnet50_fpn")
    parser.add_argument("--weights", default="imagenet", help="or none, or a file")
    args = parser.parse_args()

    train, val = (
        kmaskrcnn.data.load(
            args.coco / "annotations" / f"instances_{part}2017.json", args.coco / f"{part}2017"
        )
        for part in ("train", "val")
    )
    weights = None if args.weights == "none" else args.weights
    model = kmaskrcnn.MaskRCNN.from_preset(args.preset, train.class_names, weights=weights)
    epochs = max(1, round(args.images_seen / len(train)))  # 12 of COCO's
    steps = epochs * -(-len(train) // args.batch_size)
    model.compile(optimizer_of_paper(model.config, steps, args.batch_size))
    # The augmentation is "flip", the paper's only one, unless another is asked for. The folder
    # keeps each epoch: the same command goes on where it was stopped.
    model.fit(
        train,
        val,
        epochs=epochs,
        batch_size=args.batch_size,
        folder=args.out,
        resume=True,
        callbacks=[ValidationPictures(val, args.out / "pictures")],
    )
    model.save(args.out / "model.keras")
    figures = model.evaluate(val)
    print(f"box AP {figures['box/AP']:.3f}, mask AP {figures['mask/AP']:.3f}")


if __name__ == "__main__":
    main()
