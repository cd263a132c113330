"""A backbone of your own under Mask R-CNN: a function that gives a functional Keras model.

    python examples/own_backbone.py --out runs/own_backbone

Three minutes on two cores; expect a mask AP of about 0.30 on shapes never seen.

The feature maps at strides 4, 8, 16 and 32 are found by their shapes. Batch norms are exchanged for
the norm that the config says, so that batches of two images can be trained on.
"""

import argparse
from pathlib import Path

import keras

import kmaskrcnn
from kmaskrcnn.data import ShapesDataset


# The decorator makes "own>inverted" a name: it stands in the config and in the model's file, and a
# program that loads the file defines or imports this function first.
@keras.saving.register_keras_serializable("own", "inverted")
def inverted(input_shape: tuple[int, int, int]) -> keras.Model:
    """Inverted residuals (Sandler et al. 2018, arXiv:1801.04381), two at each stride."""
    images = keras.Input(input_shape)  # normalised by the config's pixel_mean and pixel_std
    x = convolution(images, 24, "stem", strides=2)
    for stage, channels in enumerate((24, 40, 80, 128)):
        x = block(x, channels, f"stage{stage}a", strides=2)
        x = block(x, channels, f"stage{stage}b")
    return keras.Model(images, x)


def block(x, channels: int, name: str, strides: int = 1):
    """Widens, looks around in each channel, narrows; a shortcut where the shape stays."""
    wide = convolution(x, 3 * x.shape[-1], f"{name}_expand", size=1)
    wide = keras.layers.DepthwiseConv2D(
        3, strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(wide)
    wide = keras.layers.BatchNormalization(name=f"{name}_depthwise_norm")(wide)
    wide = keras.layers.ReLU(name=f"{name}_depthwise_relu")(wide)
    narrow = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(wide)
    narrow = keras.layers.BatchNormalization(name=f"{name}_project_norm")(narrow)
    return keras.layers.Add(name=f"{name}_add")([x, narrow]) if strides == 1 else narrow


def convolution(x, channels: int, name: str, size: int = 3, strides: int = 1):
    """With batch norm and ReLU."""
    x = keras.layers.Conv2D(
        channels, size, strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/own_backbone"))
    parser.add_argument("--preset", default="laptop", help="neck, heads and recipe")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()

    train, unseen = ShapesDataset(args.images, seed=0), ShapesDataset(args.images // 8 + 1, seed=1)
    model = kmaskrcnn.MaskRCNN.from_preset(args.preset, train.class_names, backbone="own>inverted")
    print("taps:", model.backbone.taps)
    model.fit(train, epochs=args.epochs, batch_size=4)
    print(f"mask AP {model.evaluate(unseen)['mask/AP']:.2f}")

    args.out.mkdir(parents=True, exist_ok=True)
    model.save(args.out / "model.keras")
    print(kmaskrcnn.load(args.out / "model.keras").predict(unseen[0].image)[0])


if __name__ == "__main__":
    main()
