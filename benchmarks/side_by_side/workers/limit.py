"""Only the convolutions and matrix products of Mask R-CNN with R50-FPN, in one TensorFlow graph.

What a prediction or a training step cannot go below in the same arithmetic: the same layers at the
same shapes, fed from each other, without bias, normalisation, activation, addition, anchors, NMS,
pooling, losses and optimizer. In training there is no gradient for the frozen stem and first stage,
and none to what they give.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.side_by_side import worker
from benchmarks.side_by_side.workers.kmaskrcnn import framework, in_both_precisions

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride
NUM_CLASSES = 91
SIDE = 4096  # of the large product
# RoIs with an object in them, of both images: those that the masks of a step are trained on.
MASK_ROIS = {"train_512": 102, "train_800": 58}


def conv(tensor, filters: int, side: int = 1, stride: int = 1, trainable: bool = True):
    """One bare convolution."""
    import keras

    options = {"use_bias": False, "padding": "same", "trainable": trainable}
    return keras.layers.Conv2D(filters, side, stride, **options)(tensor)


def body(tensor) -> list:
    """ResNet-50 to C2 … C5, stem and first stage frozen; every second pixel for max pooling."""
    tensor = conv(tensor, 64, 7, 2, trainable=False)[:, ::2, ::2]
    levels = []
    for number, (width, blocks, stride) in enumerate(STAGES):
        shortcuts = []
        for block in range(blocks):
            conv_here = partial(conv, trainable=number > 0)
            if block == 0:
                shortcuts.append(conv_here(tensor, 4 * width, 1, stride))
            tensor = conv_here(tensor, width)
            tensor = conv_here(tensor, width, 3, stride if block == 0 else 1)
            tensor = conv_here(tensor, 4 * width)
        levels.append((tensor, *shortcuts))
    return levels


def pyramid(levels: Sequence) -> list:
    """P2 … P6 of C2 … C5."""
    features = [conv(conv(level, 256), 256, 3) for level in levels]
    return [*features, features[-1][:, ::2, ::2]]


def rpn_head(features: Sequence) -> list:
    """Logits and deltas of three anchors at each place of each level, by the same kernels."""
    import keras

    options = {"use_bias": False, "padding": "same"}
    hidden, logits, deltas = (
        keras.layers.Conv2D(filters, side, **options)
        for filters, side in ((256, 3), (3, 1), (12, 1))
    )
    shared = [hidden(level) for level in features]
    return [head(level) for level in shared for head in (logits, deltas)]


def box_head(pooled) -> list:
    """Class logits and deltas of RoIs (R, 12544)."""
    from keras.layers import Dense

    for _ in range(2):
        pooled = Dense(1024, use_bias=False)(pooled)
    return [Dense(width, use_bias=False)(pooled) for width in (NUM_CLASSES, 4 * NUM_CLASSES)]


def mask_head(pooled) -> list:
    """Masks of all classes of RoIs (R, 14, 14, 256)."""
    from keras.layers import Conv2DTranspose

    for _ in range(4):
        pooled = conv(pooled, 256, 3)
    return [conv(Conv2DTranspose(256, 2, 2, use_bias=False)(pooled), NUM_CLASSES)]


def make_network(images: tuple[int, int, int], rois: int, mask_rois: int):
    """The layers as one Keras model, and inputs of ones.

    Args:
        images: batch, height, width.
        rois, mask_rois: of the whole batch.
    """
    import keras
    import tensorflow as tf

    shapes = [(*images, 3), (rois, 7 * 7 * 256), (mask_rois, 14, 14, 256)]
    inputs = [keras.Input(batch_shape=shape) for shape in shapes]
    levels = body(inputs[0])
    features = pyramid([level[0] for level in levels])
    shortcuts = [shortcut for level in levels for shortcut in level[1:]]
    heads = rpn_head(features) + box_head(inputs[1]) + mask_head(inputs[2])
    return keras.Model(inputs, heads + shortcuts), [tf.ones(shape) for shape in shapes]


def ready(graph, *arguments) -> worker.Case:
    """Runs a `tf.function`; the answer is its billions of floating-point operations."""
    answer = {"gflop": operations(graph.get_concrete_function(*arguments).graph) / 1e9}

    def run() -> worker.Answer:
        graph(*arguments)
        return answer

    return run


def operations(graph) -> int:
    """Floating-point operations of a graph's convolutions and products."""
    from tensorflow.compat.v1.profiler import ProfileOptionBuilder, profile

    options = ProfileOptionBuilder(ProfileOptionBuilder.float_operation()).with_empty_output()
    return profile(graph, cmd="op", options=options.build()).total_float_ops


def make_forward(folder: Path, images: tuple[int, int, int], dtype: str = "float32") -> worker.Case:
    """A prediction's: 1,000 proposals and 100 detections an image."""
    import keras
    import tensorflow as tf

    keras.config.set_dtype_policy(dtype.removeprefix("mixed_"))
    network, inputs = make_network(images, 1000 * images[0], 100 * images[0])
    inputs = [tf.cast(one, network.compute_dtype) for one in inputs]
    return ready(tf.function(network), inputs)


def make_step(folder: Path, case: str, size: tuple[int, int], dtype: str = "float32"):
    """A training step's, forward and backward, of two images with 512 RoIs each."""
    import keras
    import tensorflow as tf

    keras.config.set_dtype_policy(dtype.removeprefix("mixed_"))
    network, inputs = make_network((2, *size), 2 * 512, MASK_ROIS[case])
    photos, *pooled = (tf.cast(one, network.compute_dtype) for one in inputs)
    upstream = [tf.ones_like(output) for output in network([photos, *pooled])]

    @tf.function
    def step(photos, pooled, upstream):
        with tf.GradientTape() as tape:
            tape.watch(pooled)  # it came out of the pyramid
            outputs = network([photos, *pooled])
        wanted = [variable.value for variable in network.trainable_variables]
        return tape.gradient(outputs, [*wanted, *pooled], upstream)

    return ready(step, photos, pooled, upstream)


def make_product(folder: Path, dtype: str = "float32") -> worker.Case:
    """One large matrix product: the machine's own rate."""
    import tensorflow as tf

    square = tf.random.stateless_normal([SIDE, SIDE], [0, 0])
    return ready(tf.function(tf.matmul), *2 * [tf.cast(square, dtype.removeprefix("mixed_"))])


if __name__ == "__main__":
    worker.serve(
        {
            **in_both_precisions(
                {
                    "product": make_product,
                    "predict": partial(make_forward, images=(1, 800, 1088)),
                    "predict_batch8": partial(make_forward, images=(8, 512, 512)),
                    "train_512": partial(make_step, case="train_512", size=(512, 512)),
                    "train_800": partial(make_step, case="train_800", size=(800, 1088)),
                }
            ),
            "import": worker.program("import keras, tensorflow"),
            "help": worker.program("import click; click.echo(click.__name__)"),
        },
        framework,
    )
