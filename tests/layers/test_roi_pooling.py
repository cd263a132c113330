"""The pooling layer: which operation, which level, which frame; the arithmetic is tested in ops."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.layers import RoIPooling
from kmaskrcnn.ops import assign_levels, frames
from tests.ops.roi_align_loop import roi_align_loop
from tests.ops.roi_pool_loop import roi_crop_loop, roi_pool_loop, roi_warp_loop

STRIDES = (4, 8, 16, 32)
CANVAS = (512, 640)


def pyramid(channels=3, levels=5, dtype="float32"):
    """P2 … P6 of two images of 512×640 pixels; the last level is never pooled from."""
    generator = np.random.default_rng(7)
    shapes = [(2, 512 >> n, 640 >> n, channels) for n in range(2, 2 + levels)]
    maps = [tf.cast(generator.standard_normal(shape), dtype) for shape in shapes]
    return {f"P{number}": level for number, level in enumerate(maps, 2)}


def rois(count=24):
    """Pixels, of all sizes, and the image of each."""
    generator = np.random.default_rng(9)
    centres = generator.uniform(0, CANVAS[::-1], (count, 2))
    sides = np.exp(generator.uniform(np.log(20), np.log(900), (count, 1)))
    sizes = sides * generator.uniform(0.8, 1.2, (count, 2))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
    return boxes, generator.integers(0, 2, count).astype(np.int32)


def scales():
    return [1 / stride for stride in STRIDES]


@pytest.mark.parametrize("rule", ["detectron2", "torchvision"])
@pytest.mark.parametrize("reduce", ["average", "max"])
@pytest.mark.parametrize("pooling", ["align", "warp"])
def test_samples_of_pixels(pooling, reduce, rule):
    features, (boxes, images) = pyramid(), rois()
    layer = RoIPooling(3, pooling=pooling, reduce=reduce, level_rule=rule, aligned=False)
    levels = assign_levels(boxes, num_levels=4, rule=rule).numpy()
    assert set(levels) == {0, 1, 2, 3}
    loop = roi_align_loop if pooling == "align" else roi_warp_loop
    expected = loop(
        list(features.values()),
        boxes,
        images,
        levels,
        scales=scales() + [1 / 64],
        output_size=3,
        reduce=reduce,
        aligned=False,
    )
    np.testing.assert_allclose(layer(features, boxes, images), expected, atol=1e-4)


def test_maxima_of_cells():
    features, (boxes, images) = pyramid(), rois()
    pooled = RoIPooling(3, pooling="pool", reduce="max")(features, boxes, images)
    levels = assign_levels(boxes, num_levels=4).numpy()
    maps = list(features.values())
    expected = roi_pool_loop(maps, boxes, images, levels, scales=scales(), output_size=3)
    np.testing.assert_array_equal(pooled, expected)


@pytest.mark.parametrize("canvas", [None, CANVAS, tf.constant(CANVAS)])
def test_crops_of_normalised_boxes(canvas):
    features, (boxes, images) = pyramid(), rois()
    boxes = frames.normalise(boxes, CANVAS).numpy()
    layer = RoIPooling(4, pooling="crop", level_rule="matterport")
    levels = assign_levels(boxes, num_levels=4, rule="matterport", canvas=CANVAS).numpy()
    assert set(levels) == {0, 1, 2, 3}
    expected = roi_crop_loop(list(features.values()), boxes, images, levels, output_size=4)
    pooled = layer(features, boxes, images, canvas=canvas)
    np.testing.assert_allclose(pooled, expected, atol=1e-4)


def test_each_rule_reads_boxes_in_its_own_frame():
    features, (boxes, images) = pyramid(), rois()
    normalised = frames.normalise(boxes, CANVAS)
    of_pixels = RoIPooling(2, level_rule="matterport")
    of_normalised = RoIPooling(2, pooling="crop", level_rule="matterport")
    levels = assign_levels(normalised, num_levels=4, rule="matterport", canvas=CANVAS)
    for layer, frame in ((of_pixels, boxes), (of_normalised, normalised)):
        np.testing.assert_array_equal(layer._level_of(frame, CANVAS), levels)
    cropped = RoIPooling(2, pooling="crop")
    np.testing.assert_array_equal(
        cropped._level_of(normalised, CANVAS), assign_levels(boxes, num_levels=4)
    )
    assert cropped(features, normalised, images).shape == (24, 2, 2, 3)


@pytest.mark.parametrize("pooling", ["align", "pool", "warp", "crop"])
def test_one_level_serves_all_boxes(pooling):
    features, (boxes, images) = {"C4": pyramid()["P4"]}, rois()
    boxes = frames.normalise(boxes, CANVAS).numpy() if pooling == "crop" else boxes
    reduce = "max" if pooling == "pool" else "average"
    rule = "matterport" if pooling == "crop" else "detectron2"
    layer = RoIPooling(2, (16,), pooling=pooling, reduce=reduce, level_rule=rule)
    loop, arguments = {
        "align": (roi_align_loop, {"scales": [1 / 16]}),
        "pool": (roi_pool_loop, {"scales": [1 / 16]}),
        "warp": (roi_warp_loop, {"scales": [1 / 16]}),
        "crop": (roi_crop_loop, {}),
    }[pooling]
    zeros = np.zeros(len(boxes), np.int32)
    expected = loop([features["C4"]], boxes, images, zeros, output_size=2, **arguments)
    np.testing.assert_allclose(layer(features, boxes, images), expected, atol=1e-4)


LAYERS = {
    "align": {},
    "pool": {"reduce": "max"},
    "warp": {"reduce": "max"},
    "crop": {"level_rule": "matterport"},
}


@pytest.mark.parametrize("pooling", LAYERS)
def test_no_boxes_and_shapes_that_are_not_known(pooling):
    layer = RoIPooling(2, pooling=pooling, **LAYERS[pooling])
    features, (boxes, images) = pyramid(), rois()
    boxes = frames.normalise(boxes, CANVAS) if pooling == "crop" else tf.constant(boxes)
    specs = {name: tf.TensorSpec([None, None, None, 3]) for name in features}
    some = [tf.TensorSpec([None, 4]), tf.TensorSpec([None], tf.int32)]
    run = tf.function(layer, input_signature=[specs, *some])
    expected = layer(features, boxes, images)
    np.testing.assert_allclose(run(features, boxes, images), expected, atol=1e-4)
    assert run(features, boxes[:0], images[:0]).shape == (0, 2, 2, 3)


@pytest.mark.parametrize("pooling", LAYERS)
def test_boxes_keep_their_precision(pooling):
    # Under mixed precision an edge of 332.7 must not become 332.8: pooled are the same positions.
    exact, half = (
        RoIPooling(7, (4,), pooling=pooling, dtype=dtype, **LAYERS[pooling])
        for dtype in ("float32", keras.DTypePolicy("mixed_float16"))
    )
    edge = 332.7 / 639 if pooling == "crop" else 332.7
    top = 332.7 / 511 if pooling == "crop" else 332.7
    box, image = tf.constant([[edge * 0.9, top * 0.9, edge, top]]), tf.constant([0])
    ramp = np.broadcast_to(np.arange(160, dtype=np.float32), (1, 128, 160))[..., None]
    features = {"P2": tf.constant(ramp)}
    np.testing.assert_array_equal(half(features, box, image), exact(features, box, image))
    assert half({"P2": tf.cast(ramp, tf.float16)}, box, image).dtype == "float16"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            dict(pooling="maximum"),
            "pooling must be 'align' or 'pool' or 'warp' or 'crop', not 'maxi",
        ),
        (dict(pooling="pool"), "reduce with pooling 'pool' must be 'max', not 'average'"),
        (dict(reduce="sum"), "reduce must be 'average' or 'max', not 'sum'"),
        (dict(level_rule="fpn"), "level_rule must be 'detectron2' or"),
    ],
)
def test_wrong_switches(arguments, message):
    with pytest.raises(ValueError, match=message):
        RoIPooling(7, **arguments)


def test_the_config_keeps_every_argument():
    arguments = dict(
        output_size=5,
        strides=(2, 4),
        sampling_ratio=3,
        aligned=False,
        pooling="warp",
        reduce="max",
        level_rule="torchvision",
        name="off_default",
    )
    twin = RoIPooling.from_config(RoIPooling(**arguments).get_config())
    assert {name: getattr(twin, name) for name in arguments} == arguments
