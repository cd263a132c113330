"""Predictions go to LabelMe and come back as the truth of a dataset, to the pixel."""

import cv2
import numpy as np
import pytest

from kmaskrcnn import data
from kmaskrcnn.data.rle import decode_window, instance_rle
from kmaskrcnn.ops.regions import Region, to_mask
from tests.detections.some import NAMES, of_boxes, of_masks, probable, random_masks

SIZE = (90, 120)


def blobs():
    """Two parts with a hole, a ring, one at the border, one of a pixel, and random ones."""
    masks = np.zeros((4, *SIZE), bool)
    masks[0, 5:35, 5:40] = masks[0, 50:80, 10:30] = True
    masks[0, 15:25, 15:25] = False
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    distance = np.hypot(y - 45, x - 75)
    masks[1] = (distance < 30) & (distance > 12)
    masks[2, 60:, 90:] = True
    masks[3, 2, 100] = True
    return np.concatenate([masks, random_masks(6, SIZE, side=40)])


def back(found, folder, **how):
    """The masks and names of the dataset that the saved file makes."""
    cv2.imwrite(str(folder / "photo.png"), np.zeros((*found.image_size, 3), np.uint8))
    found.replaced(image=folder / "photo.png").save(folder / "a.json", format="labelme", **how)
    dataset = data.load(folder)
    (sample,) = [dataset[i] for i in range(len(dataset))]
    assert sample.size == found.image_size
    codes = [instance_rle(i, found.image_size) for i in sample.instances]
    masks = [to_mask(Region(*decode_window(code)), found.image_size) for code in codes]
    return masks, [dataset.class_names[i.label] for i in sample.instances]


def pixels_off(mask, other):
    """How far the farthest differing pixel's centre lies from the first one's edge."""
    wrong = mask != other
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    outside = cv2.distanceTransform(1 - mask.astype(np.uint8), cv2.DIST_L2, 5)
    return float((np.where(mask, inside, outside) - 0.5)[wrong].max(initial=0))


@pytest.mark.parametrize("tolerance, most", [(0, 0.5), (1.0, 1.0)])
def test_exact_masks_come_back(tmp_path, tolerance, most):
    masks = blobs()
    got, names = back(of_masks(masks), tmp_path, tolerance=tolerance)
    assert names == [NAMES[i % 3] for i in range(len(masks))]
    assert max(pixels_off(a, b) for a, b in zip(masks, got, strict=True)) <= most
    assert got[1].sum() < 0.95 * np.pi * 30**2  # the hole is still one
    assert not got[0][18:22, 18:22].any() and got[0][60, 20]


def test_predictions_come_back(tmp_path):
    rng = np.random.default_rng(3)
    coarse = rng.uniform(0, 1, (6, 4, 4)).astype(np.float32)
    smooth = [cv2.resize(m, (28, 28), interpolation=cv2.INTER_CUBIC).clip(0, 1) for m in coarse]
    found = probable(6, (200, 300), mask_probabilities=np.array(smooth))
    found = found.replaced(boxes=found.boxes + np.float32([0, 0, 60, 80]))
    got, names = back(found, tmp_path)
    assert names == found.names
    assert max(pixels_off(a, b) for a, b in zip(found.masks, got, strict=True)) <= 1.0


def test_boxes_come_back_as_rectangles(tmp_path):
    found = of_boxes([[3, 4, 20, 30], [50, 10, 70, 15]])
    got, _ = back(found, tmp_path)
    assert [m.sum() for m in got] == [17 * 26, 20 * 5]
