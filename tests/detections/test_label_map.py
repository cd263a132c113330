"""The label map against full masks painted one over the other."""

import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, random_masks


def test_overlaps_go_to_the_higher_score_and_ties_to_the_first():
    masks = random_masks(10, seed=2, side=50)
    scores = np.array([0.5, 0.9, 0.3, 0.9, 0.7, 0.1, 0.5, 0.5, 0.2, 0.8])
    found = of_masks(masks, scores)
    objects = found.label_map()
    assert objects.dtype == np.int32 and objects.shape == found.image_size
    classes = found.label_map("classes")
    for y, x in np.ndindex(*found.image_size):
        there = np.flatnonzero(masks[:, y, x])
        best = there[np.argmax(scores[there])] if len(there) else None
        assert objects[y, x] == (0 if best is None else best + 1)
        assert classes[y, x] == (0 if best is None else found.labels[best] + 1)


def test_without_masks_or_objects():
    found = of_boxes([[0, 0, 4, 4], [2, 2, 6, 6]], [0.4, 0.6], size=(8, 9))
    expected = np.zeros((8, 9), int)
    expected[:4, :4] = 1
    expected[2:6, 2:6] = 2
    assert found.label_map().tolist() == expected.tolist()
    assert not found[[]].label_map().any() and found[[]].label_map().shape == (8, 9)
    with pytest.raises(ValueError, match="'objects' or 'classes', got 'ids'"):
        found.label_map("ids")
