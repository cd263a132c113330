"""Merging against loops over full masks."""

import numpy as np
import pytest

from kmaskrcnn.detections.merging import overlaps
from tests.detections.some import of_boxes, of_masks, probable, random_masks


def share(a, b, share_of):
    shared = (a & b).sum()
    whole = (a | b).sum() if share_of == "union" else min(a.sum(), b.sum())
    return shared / whole if whole else 0.0


@pytest.mark.parametrize("share_of", ["union", "smaller"])
@pytest.mark.parametrize("with_masks", [True, False])
def test_overlaps(share_of, with_masks):
    masks = random_masks()
    found = of_masks(masks)
    if not with_masks:
        masks = np.zeros_like(masks)
        for mask, (left, top, right, bottom) in zip(masks, found.boxes.astype(int), strict=True):
            mask[top:bottom, left:right] = True
        found = found.replaced(mask_regions=None)
    expected = [[share(a, b, share_of) for b in masks] for a in masks]
    got = overlaps(found, share_of)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert ((got > 0) & (got < 1)).any()
    by_boxes = overlaps(of_masks(random_masks()), share_of, "boxes")
    assert with_masks or np.array_equal(got, by_boxes)


def suppressed(masks, scores, labels, iou, share_of, across):
    """The slow way: take the best that is left, drop what is the same."""
    left, kept = list(np.argsort(-scores, kind="stable")), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [
            i
            for i in left
            if share(masks[i], masks[best], share_of) <= iou
            or (labels[i] != labels[best] and not across)
        ]
    return sorted(kept)


def joined(masks, scores, labels, iou, share_of, across):
    """The slow way: pairs are joined until nothing changes."""
    groups = [{i} for i in range(len(masks))]
    changed = True
    while changed:
        changed = False
        for a in groups:
            for b in groups:
                if a is not b and any(
                    share(masks[i], masks[j], share_of) > iou and (across or labels[i] == labels[j])
                    for i in a
                    for j in b
                ):
                    a |= b
                    groups.remove(b)
                    changed = True
                    break
            if changed:
                break
    return sorted(groups, key=lambda g: max(g, key=lambda i: (scores[i], -i)))


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("share_of", ["union", "smaller"])
@pytest.mark.parametrize("iou", [0.05, 0.3, 0.6])
def test_merged_against_the_slow_way(iou, share_of, across):
    masks = random_masks(20, seed=4)
    rng = np.random.default_rng(1)
    scores, labels = rng.permutation(20) / 32, rng.integers(0, 2, 20)
    found = of_masks(masks, scores, labels)
    how = {"share_of": share_of, "across_classes": across}
    best = found.merged(iou, **how)
    kept = suppressed(masks, scores, labels, iou, share_of, across)
    assert np.array_equal(best.masks, masks[kept]) and best.scores.tolist() == scores[kept].tolist()

    union = found.merged(iou, how="union", **how)
    groups = joined(masks, scores, labels, iou, share_of, across)
    assert len(union) == len(groups)
    for one, group in zip(union, groups, strict=True):
        members = sorted(group)
        top = members[int(np.argmax(scores[members]))]
        assert np.array_equal(one.masks[0], masks[members].any(axis=0))
        assert (one.scores[0], one.labels[0]) == (np.float32(scores[top]), labels[top])
        assert one.boxes[0, :2].tolist() == found.boxes[members, :2].min(axis=0).tolist()
        assert one.boxes[0, 2:].tolist() == found.boxes[members, 2:].max(axis=0).tolist()


def test_two_halves_of_tiles_become_one_object():
    masks = np.zeros((3, 20, 60), bool)
    masks[0, 5:15, 5:30] = masks[1, 5:15, 24:50] = masks[2, 0:3, 0:60] = True
    found = of_masks(masks, labels=[0, 0, 0])
    assert len(found.merged(0.2, how="union")) == 3  # of the union they share an eighth
    whole = found.merged(0.2, how="union", share_of="smaller")
    assert whole.boxes.tolist() == [[5, 5, 50, 15], [0, 0, 60, 3]]
    assert whole.area.tolist() == [450, 180]


def test_boxes_without_masks_and_keypoints():
    boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 30, 40, 40]]
    points = np.arange(12).reshape(4, 1, 3)
    found = of_boxes(boxes, [0.5, 0.9, 0.8, 0.7], [0, 0, 1, 0], keypoints=points)
    assert found.merged().boxes.tolist() == found.boxes[1:].tolist()
    union = found.merged(how="union")
    assert union.boxes.tolist() == [[0, 0, 11, 10], [0, 0, 10, 10], [30, 30, 40, 40]]
    assert np.array_equal(union.keypoints, found.keypoints[1:])
    assert len(found.merged(across_classes=True)) == 2 and len(found.merged(1.0)) == 4


def test_what_shares_just_the_limit_is_not_the_same():
    halves = of_boxes([[0, 0, 10, 10], [0, 0, 10, 5]], labels=[0, 0])  # an IoU of exactly 0.5
    assert [len(halves.merged(limit)) for limit in (0.5, 0.49)] == [2, 1]
    assert [len(halves.merged(limit, how="union")) for limit in (0.5, 0.49)] == [2, 1]


def test_nothing_and_masks_of_probabilities():
    for how in ("best", "union"):
        for nothing in (probable(0), of_boxes([]), of_masks(np.zeros((0, 5, 5)))):
            assert len(nothing.merged(how=how)) == 0
    found = probable(3)
    assert np.array_equal(found.merged(1.0, how="union").masks, found.masks)
    assert found.merged(1.0).mask_probabilities is not None
    empty = of_masks(np.zeros((2, 5, 5)), labels=[0, 0])
    assert len(empty.merged(0.5, how="union")) == 2


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"how": "mean"}, "'best' or 'union', got 'mean'"),
        ({"share_of": "larger"}, "'union' or 'smaller', got 'larger'"),
        ({"by": "keypoints"}, "'masks' or 'boxes', got 'keypoints'"),
        ({"iou": 50}, "share from 0 to 1, got 50"),
    ],
)
def test_wrong_ways_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        probable().merged(**wrong)
    with pytest.raises(ValueError, match="no masks"):
        of_boxes([[0, 0, 1, 1]]).merged(by="masks")
