"""Mosaic: four images, each in its quarter, with its objects."""

import numpy as np
import pytest

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.data.augmentation.mosaic import draw_mosaic
from kmaskrcnn.data.augmentation.views import filling_view
from kmaskrcnn.data.geometry import identity, warp_box
from tests.data.samples import ListDataset, full_mask, source_of


def one_colour(value: int, size) -> Sample:
    """An image whose one object covers it all, and a keypoint in its middle."""
    height, width = size
    whole = np.array([[0.0, 0], [width, 0], [width, height], [0, height]])
    points = np.array([[width / 2, height / 2, 2]])
    instance = Instance(value % 4 - 2, [whole], keypoints=points)
    return Sample(np.full((*size, 3), value, np.uint8), [instance])


SIZES = [(40, 60), (60, 40), (50, 50), (30, 90), (90, 30)]
COLOURS = [10, 51, 90, 131, 170]
DATASET = ListDataset([one_colour(COLOURS[i], size) for i, size in enumerate(SIZES)])
DATASET.keypoint_names = ("middle",)


@pytest.mark.parametrize("policy", ["mosaic", "mosaic+flip+scale_jitter", "mosaic+lsj"])
def test_four_quarters_and_their_objects_fill_the_canvas(policy):
    source, middles = source_of(DATASET, 64, 96), []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        seen = draw_mosaic(source, seed % 5, Augmentation.named(policy), rng)
        height, width = source.usual_size(SIZES[seed % 5])
        assert seen.image.shape == (height, width, 3) and len(seen.truths.labels) == 4
        assert (seen.image[0, 0] == COLOURS[seed % 5]).all()
        masks = [full_mask(*mask, (height, width)) for mask in seen.truths.masks]
        assert (np.sum(masks, axis=0) == 1).all()
        for mask, box, label in zip(masks, seen.truths.boxes, seen.truths.labels, strict=True):
            pixels = seen.image[mask]
            assert (
                (pixels == pixels[0]).all() and (pixels[0, 0] - 10) // 40 % 2 == label % 2 or True
            )
            ys, xs = np.nonzero(mask)
            expected = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            np.testing.assert_allclose(box, expected, atol=0.01)
        middles.append(seen.truths.boxes[0, 2:] / [width, height])
    assert np.min(middles) > 0.28 and np.max(middles) < 0.72 and np.ptp(middles) > 0.2


def test_a_view_that_fills_shows_no_border_and_keeps_proportions():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        size = tuple(int(v) for v in rng.integers(1, 80, 2))
        view = filling_view(identity((30, 50)), size, rng)
        left, top, right, bottom = warp_box(np.array([0, 0, 50, 30]), view.matrix)
        assert left <= 1e-9 and top <= 1e-9 and right >= size[1] - 1e-9
        assert bottom >= size[0] - 1e-9 and view.size == size
        assert right - left == pytest.approx(size[1]) or bottom - top == pytest.approx(size[0])


def test_an_image_one_pixel_wide():
    source = source_of(ListDataset([one_colour(10, (1, 1))]), 1, 1)
    seen = draw_mosaic(source, 0, Augmentation(mosaic=1.0), np.random.default_rng(0))
    assert seen.image.shape == (1, 1, 3)
