"""What the tests of RoIAlign share: features, boxes, tolerances, and a short way to call it."""

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops import roi_align

# Largest absolute difference on features of unit variance, by implementation and dtype.
TOLERANCE = {
    ("op", "float32"): 1e-5,
    ("op", "float64"): 1e-12,
    ("op", "bfloat16"): 4e-2,
    ("op", "float16"): 4e-3,
    ("fallback", "float32"): 1e-4,
    ("fallback", "float64"): 1e-4,
    ("fallback", "bfloat16"): 4e-2,
    ("fallback", "float16"): 4e-3,
}


def pool(features, boxes, images=None, levels=None, **arguments):
    features = features if isinstance(features, list) else [features]
    boxes = np.asarray(boxes)
    zeros = np.zeros(len(boxes), np.int32)
    arguments = {"scales": [1.0] * len(features), "output_size": 2, **arguments}
    images = zeros if images is None else images
    return roi_align(features, boxes, images, zeros if levels is None else levels, **arguments)


def random_pyramid(channels=5, dtype="float32"):
    """Three levels of two images of 64×80 pixels, strides 4, 8, 16."""
    generator = np.random.default_rng(3)
    shapes = [(2, 64 // stride, 80 // stride, channels) for stride in (4, 8, 16)]
    return [tf.cast(generator.standard_normal(shape), dtype) for shape in shapes]


PYRAMID_SCALES = [1 / 4, 1 / 8, 1 / 16]


def random_boxes(count=40):
    """Boxes inside, across the border and outside of 64×80 pixels, in no particular order."""
    generator = np.random.default_rng(4)
    centres, sizes = generator.uniform(-10, 90, (count, 2)), generator.uniform(0, 60, (count, 2))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
    images = generator.integers(0, 2, count).astype(np.int32)
    return boxes, images, generator.integers(0, 3, count).astype(np.int32)
