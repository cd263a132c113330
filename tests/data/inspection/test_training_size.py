"""Objects at the network's size, and the size that suits them."""

import numpy as np
import pytest

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.inspection.training_size import (
    advise_size,
    network_boxes,
    network_sizes,
    sides,
)


def objects(*lengths, image=0) -> Objects:
    boxes = np.array([(0, 0, length, length) for length in lengths], float).reshape(-1, 4)
    return Objects(np.full(len(boxes), image), np.zeros(len(boxes), int), boxes)


def test_boxes_go_with_their_images():
    sizes = np.array([[100, 200], [400, 400]])
    config = MaskRCNNConfig(min_size=200, max_size=300)
    assert network_sizes(sizes, config).tolist() == [[150, 300], [200, 200]]
    boxes = Objects(np.array([0, 1]), np.zeros(2, int), np.array([[10, 20, 30, 60]] * 2, float))
    got = network_boxes(boxes, sizes, config)
    assert got.tolist() == [[15, 30, 45, 90], [5, 10, 15, 30]]
    np.testing.assert_allclose(sides(got), np.sqrt([30 * 60, 10 * 20]))


@pytest.mark.parametrize(
    "lengths, side, expected",
    [
        ([100] * 20, 640, 512),  # 80 pixels at 512, 62 at 400
        ([*[300] * 19, 20], 640, 320),  # one of twenty may be small
        ([*[300] * 18, 10, 10], 640, 1024),  # 16 pixels there
        ([20] * 20, 140, 400),  # 57 pixels there, and no detail beyond three times
        ([2] * 20, 640, 1280),  # nothing helps
    ],
)
def test_the_smallest_size_that_suffices(lengths, side, expected):
    config = MaskRCNNConfig(min_size=800, max_size=1333)
    advice = advise_size(objects(*lengths), np.array([[side, side]]), config)
    assert advice.suggested == expected and advice.used == 800
    assert ("tiles" in advice.reason) == (expected == 1280)
    assert ("no more detail" in advice.reason) == (side == 140)


def test_every_figure_of_a_size():
    config = MaskRCNNConfig(min_size=600, max_size=1000)
    found = objects(4, 10, 16, 200)
    advice = advise_size(found, np.array([[300, 300]]), config)
    assert [c.min_size for c in advice.choices] == [320, 400, 512, 600, 640, 800, 1024, 1280]
    used = advice.choices[3]
    assert (used.max_size, used.pixels, used.enlarged) == (1000, 1, 2)
    assert used.median == pytest.approx(26) and used.below_anchors == 0.5  # 8, 20, 32, 400
    assert (used.hard, used.small) == (0, 0.25)
    assert advice.choices[0].pixels == pytest.approx((320 / 600) ** 2)
    assert advice.choices[0].max_size == 533
