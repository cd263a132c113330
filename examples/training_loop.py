"""A training without `fit`: batches, losses by name, gradients, your own step.

    python examples/training_loop.py --out runs/loop

Two minutes on two cores; expect a mask AP of about 0.25 on shapes never seen.

What `fit` does beyond this: the learning rate's schedule, stopping on a loss that is not finite,
AP after each epoch, callbacks. Every line here is one that research may want to change.
"""

import argparse
from pathlib import Path

import keras
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn.data import InputSize, Order, ShapesDataset, batches


def make_step(model: kmaskrcnn.MaskRCNN, optimizer: keras.optimizers.Optimizer):
    """A function from a batch to its losses by name, which are then learned from."""

    @tf.function(reduce_retracing=True)  # batches differ in size; one graph serves them all
    def step(inputs, targets):
        with tf.GradientTape() as tape:
            # With targets the model gives its losses, without them its detections.
            losses = model(inputs, targets=targets, training=True)
            total = tf.add_n(list(losses.values()))
        gradients = tape.gradient(total, model.trainable_variables)
        gradients, _ = tf.clip_by_global_norm(gradients, model.config.clip_norm)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return {"loss": total, **losses}

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/loop"))
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()

    train, unseen = ShapesDataset(args.images, seed=0), ShapesDataset(args.images // 8 + 1, seed=1)
    model = kmaskrcnn.MaskRCNN.from_preset(args.preset, train.class_names)

    # Each iteration over the stream is the next epoch: another order, other flips, from one seed.
    stream = batches(
        train,
        InputSize(model.config.min_size, model.config.max_size),
        Order(batch_size=4, shuffle=True, seed=0),
        augmentation="flip",
    )
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, args.epochs * len(stream), warmup_target=1e-3, warmup_steps=50
    )
    step = make_step(model, keras.optimizers.AdamW(rate, weight_decay=1e-4))
    for epoch in range(1, args.epochs + 1):
        means = {}
        for inputs, targets in stream:
            for name, value in step(inputs, targets).items():
                means.setdefault(name, keras.metrics.Mean()).update_state(value)
        print(f"epoch {epoch}:", *(f"{n} {float(m.result()):.3f}" for n, m in means.items()))

    print(f"mask AP {model.evaluate(unseen)['mask/AP']:.2f}")
    args.out.mkdir(parents=True, exist_ok=True)
    model.save(args.out / "model.keras")


if __name__ == "__main__":
    main()
