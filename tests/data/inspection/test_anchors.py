"""Anchors against objects: every best overlap as the whole grid has it, and a better set found."""

import shlex

import numpy as np
import pytest
import tensorflow as tf
import tomlkit

from kmaskrcnn.commands.settings import parse_setting, tuples
from kmaskrcnn.config import FEATURE_STRIDES, MaskRCNNConfig
from kmaskrcnn.data import Instance, inspect
from kmaskrcnn.data.geometry import lay_out
from kmaskrcnn.data.inspection.anchors import advise_anchors, make_scene
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.inspection.training_size import network_boxes, network_sizes
from kmaskrcnn.ops.anchors import cell_anchors, grid_anchors
from tests.data.inspection.test_looking import image
from tests.data.samples import ListDataset

SIZES = np.array([[60, 80], [90, 50]])
CONFIGS = {
    "fpn": {"anchor_sizes": ((8,), (16,), (32,), (64,), (128,))},
    "rounded": {"anchor_sizes": ((5,), (11,), (23,), (64,), (128,)), "round_anchors": True},
    "c4": {"pyramid": "c4", "anchor_sizes": ((16, 40, 90),)},
    "square": {"canvas": "square", "resize": "matterport", "min_size": 128},
}


def config(**changes) -> MaskRCNNConfig:
    return MaskRCNNConfig(min_size=96, max_size=128).replace(**changes)


def some_objects(count=40, seed=0) -> Objects:
    """Boxes of all kinds on two images, some of them in the corners."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 2, count)
    limits = np.tile(SIZES[images][:, ::-1], 2)
    corners = random.uniform(0, 1, (count, 2, 2))
    boxes = np.concatenate([corners.min(1), corners.max(1) + 0.02], axis=1) * limits
    return Objects(images, np.zeros(count, int), boxes)


def grid_overlaps(objects, config) -> np.ndarray:
    """The best IoU of each object with every anchor of every level's grid, one after the other."""
    sizes, boxes = network_sizes(SIZES, config), network_boxes(objects, SIZES, config)
    best = np.zeros(len(boxes))
    for k, (place, box) in enumerate(zip(objects.images, boxes, strict=True)):
        canvas = lay_out(tuple(sizes[place]), config.canvas, config.max_size, config.size_divisor)
        box = box + [canvas.left, canvas.top] * 2
        strides = FEATURE_STRIDES[config.pyramid]
        for level, stride in zip(config.anchor_sizes, strides, strict=True):
            cells = cell_anchors(level, config.aspect_ratios, rounded=config.round_anchors)
            grid = tf.constant([-(-side // stride) for side in canvas.size])
            anchors = grid_anchors(grid, stride, cells).numpy()
            low, high = np.maximum(anchors[:, :2], box[:2]), np.minimum(anchors[:, 2:], box[2:])
            shared = np.maximum(high - low, 0).prod(1)
            areas = (anchors[:, 2:] - anchors[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
            best[k] = max(best[k], (shared / (areas - shared)).max())
    return best


@pytest.mark.parametrize("name", CONFIGS)
def test_the_best_overlap_is_that_of_the_whole_grid(name):
    chosen = config(**CONFIGS[name])
    objects = some_objects()
    scene = make_scene(objects, SIZES, chosen)
    got = scene.best_overlaps(chosen.anchor_sizes, chosen.aspect_ratios)
    np.testing.assert_allclose(got, grid_overlaps(objects, chosen), rtol=0, atol=1e-5)
    fit = scene.fit(chosen.anchor_sizes, chosen.aspect_ratios)
    assert fit.unreached == (got < 0.5).mean() and fit.mean == got.mean()


@pytest.fixture(scope="module")
def upright():
    """What is found of fifty objects of some 12 by 36 pixels, on an image that is not resized."""
    random = np.random.default_rng(1)
    shapes = random.uniform((0, 0, 10, 32), (80, 60, 14, 40), (50, 4))
    objects = [Instance(0, box=(x, y, x + w, y + h)) for x, y, w, h in shapes]
    chosen = MaskRCNNConfig(min_size=100, max_size=100)
    return inspect(ListDataset([image(100, 100, *objects)]), config=chosen)


def test_a_better_set_is_found_and_can_be_typed(upright):
    advice = upright.anchor_advice
    assert advice.used.unreached > 0.9 and advice.used.below > 0.9
    assert advice.worth_it and advice.suggested.unreached < 0.1
    assert max(advice.suggested.ratios) == pytest.approx(3, rel=0.2)
    pairs = zip(advice.suggested.sizes, FEATURE_STRIDES["fpn"], strict=True)
    assert all(size >= 2 * stride for (size,), stride in pairs)
    texts = shlex.split(advice.suggested.options())
    assert texts[::2] == ["--set", "--set"]
    typed = dict(map(parse_setting, texts[1::2]))
    written = {k: tuples(v) for k, v in tomlkit.parse(advice.suggested.toml()).unwrap().items()}
    chosen = upright.config.replace(**typed)
    assert chosen == upright.config.replace(**written)
    again = advise_anchors(upright.objects, upright.sizes, chosen)
    assert again.used == advice.suggested and not again.worth_it


def test_a_suggestion_reaches_no_fewer():
    for seed in range(3):
        chosen = config()
        advice = advise_anchors(some_objects(60, seed), SIZES, chosen)
        assert advice.suggested.unreached <= advice.used.unreached
        assert len(advice.suggested.sizes) == 5 and len(advice.suggested.ratios) == 3


def test_levels_of_several_sizes_keep_as_many():
    chosen = config(**CONFIGS["c4"])
    advice = advise_anchors(some_objects(), SIZES, chosen)
    assert np.shape(advice.suggested.sizes) == (1, 3)
    assert chosen.replace(anchor_sizes=advice.suggested.sizes)


def test_without_objects_nothing_is_suggested():
    found = inspect(ListDataset([image(40, 40)]))
    assert found.anchor_advice is None and found.size_advice.suggested is None
    assert found.to_dict()["anchors"] is None and "anchors" not in str(found)
