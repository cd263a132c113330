"""What supervision gets: its own object, with our boxes, masks, scores and names."""

import sys

import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, probable, random_masks


@pytest.fixture(scope="module")
def sv():
    reason = "an extra: pip install kmaskrcnn[supervision]"
    return pytest.importorskip("supervision", reason=reason)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("mode", ["exact", "detectron2", "torchvision"])
def test_to_supervision(sv, dense, mode):
    found = of_masks(random_masks()) if mode == "exact" else probable(mask_paste=mode)
    theirs = found.to_supervision(dense_masks=dense)
    assert isinstance(theirs, sv.Detections) and len(theirs) == len(found)
    assert np.array_equal(theirs.xyxy, found.boxes)
    assert np.array_equal(theirs.confidence, found.scores)
    assert theirs.class_id.tolist() == found.labels.tolist()
    assert theirs.data["class_name"].tolist() == found.names
    assert np.array_equal(np.asarray(theirs.mask), found.masks)
    assert isinstance(theirs.mask, np.ndarray) == dense
    chosen = theirs[theirs.confidence > 0.65]
    assert np.array_equal(np.asarray(chosen.mask), found.filter(score=0.65).masks)


def test_supervision_draws_them(sv):
    found = of_masks(random_masks())
    scene = np.zeros((*found.image_size, 3), np.uint8)
    drawn = sv.MaskAnnotator().annotate(scene.copy(), found.to_supervision())
    assert np.array_equal(drawn.any(axis=2), found.masks.any(axis=0))


def test_boxes_only_and_nothing(sv):
    theirs = of_boxes([[1, 2, 3, 4]]).to_supervision()
    assert theirs.mask is None and theirs.xyxy.tolist() == [[1, 2, 3, 4]]
    for nothing in (probable(0), of_boxes([]), of_masks(np.zeros((0, 5, 5)))):
        assert len(nothing.to_supervision()) == len(nothing.to_supervision(dense_masks=True)) == 0


def test_a_sentence_without_supervision(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(ImportError, match=r'pip install "kmaskrcnn\[supervision\]"'):
        probable().to_supervision()
