"""Crops and cut-outs hold the image's own pixels, and nothing else is opaque."""

import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, probable, random_masks

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def test_crops():
    boxes = [[3.2, 4.7, 10.5, 20], [45, 0, 50, 40], [-5, -5, 2, 2], [20, 20, 20, 20]]
    found = of_boxes(boxes, size=(40, 50), image=IMAGE)
    first, second, third, empty = found.crops()
    assert np.array_equal(first, IMAGE[4:20, 3:11])
    assert np.array_equal(second, IMAGE[:, 45:]) and np.array_equal(third, IMAGE[:2, :2])
    assert empty.shape == (1, 1, 3)
    first, second, *_ = found.crops(margin=3)
    assert np.array_equal(first, IMAGE[1:23, :14]) and np.array_equal(second, IMAGE[:, 42:])
    assert list(found[[]].crops()) == []


def test_pieces_share_no_memory():
    first, second = of_boxes([[0, 0, 20, 20], [10, 10, 30, 30]], size=(40, 50)).crops(IMAGE)
    first[:] = 0
    assert np.array_equal(second, IMAGE[10:30, 10:30])


def test_cutouts():
    masks = random_masks(8)
    found = of_masks(masks)
    for mask, region, piece in zip(masks, found.regions(), found.cutouts(IMAGE), strict=True):
        left, top, right, bottom = region.window
        assert np.array_equal(piece[..., :3], IMAGE[top:bottom, left:right])
        assert np.array_equal(piece[..., 3] == 255, mask[top:bottom, left:right])
        assert set(np.unique(piece[..., 3])) <= {0, 255} and (piece[..., 3] > 0).sum() == mask.sum()
    wider = next(found.cutouts(IMAGE, margin=60))
    assert wider.shape == (40, 50, 4) and np.array_equal(wider[..., 3] == 255, masks[0])


def test_cutouts_without_masks_and_of_an_empty_mask():
    (piece,) = of_boxes([[3, 4, 9, 8]], size=(40, 50)).cutouts(IMAGE)
    assert piece.shape == (4, 6, 4) and (piece[..., 3] == 255).all()
    (nothing,) = of_masks(np.zeros((1, 40, 50))).cutouts(IMAGE)
    assert not nothing[..., 3].any()
    assert list(probable(0, (40, 50)).cutouts(IMAGE)) == []


def test_the_image_is_asked_for_at_once():
    with pytest.raises(ValueError, match=r"crops\(\) needs the image: call crops\(image\)"):
        probable().crops()
    with pytest.raises(ValueError, match=r"expected \(60, 80\).*got \(40, 50\)"):
        probable().cutouts(IMAGE)
