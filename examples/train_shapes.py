"""Mask R-CNN from nothing on drawn shapes: train, evaluate, save, reload, predict.

    python examples/train_shapes.py --out runs/shapes

About five minutes on two cores; expect a mask AP of at least 0.60 on pictures never seen.
"""

import argparse
from pathlib import Path

import kmaskrcnn


def main() -> float:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/shapes"))
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--images", type=int, default=400, help="pictures to learn from")
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()

    # Pictures are drawn when they are asked for: another seed, other pictures.
    train = kmaskrcnn.data.ShapesDataset(args.images, seed=0)
    unseen = kmaskrcnn.data.ShapesDataset(max(args.images // 8, 2), seed=1)

    # A preset is a set of switches; any of them can be changed here by its name.
    model = kmaskrcnn.MaskRCNN.from_preset(
        args.preset, class_names=train.class_names, score_threshold=0.05
    )
    model.fit(train, validation_data=unseen, epochs=args.epochs, batch_size=4, seed=0)
    figures = model.evaluate(unseen)
    print(f"box AP {figures['box/AP']:.2f}, mask AP {figures['mask/AP']:.2f}")

    # The file holds everything: settings, class names and weights.
    args.out.mkdir(parents=True, exist_ok=True)
    model.save(args.out / "model.keras")
    model = kmaskrcnn.load(args.out / "model.keras")

    found = model.predict(unseen[0].image)[0].filter(score=0.5)
    found.save(args.out / "found.png")
    print(found)
    return figures["mask/AP"]


if __name__ == "__main__":
    main()
