"""COCO's greedy rule, against a loop that a child could read, and against pycocotools itself."""

from collections import Counter

import numpy as np
import pytest

from kmaskrcnn.data import Instance
from kmaskrcnn.evaluation import match
from kmaskrcnn.evaluation.matching import FREE, IGNORED, match_any_class
from tests.evaluation.cases import Listed, crowded, dataset_of, found, square


def overlap(first, second, crowd):
    """IoU of two masks; of a crowd the share of the first that lies in it."""
    both = np.count_nonzero(first & second)
    whole = np.count_nonzero(first) if crowd else np.count_nonzero(first | second)
    return both / whole if whole else 0.0


def full_mask(instance, size):
    x1, y1 = instance.mask[0].min(0).astype(int)
    x2, y2 = instance.mask[0].max(0).astype(int)
    mask = np.zeros(size, bool)
    mask[y1:y2, x1:x2] = True
    return mask


def slowly(dataset, predictions, iou, scores_from=0.0, any_class=False):
    """{(image, row): (image, row of the truth), None or "ignored"} by one loop inside the other."""
    result = {}
    for index, detections in predictions:
        truths, free = dataset[index].instances, set(range(len(dataset[index].instances)))
        for row in np.argsort(-detections.scores, kind="stable").tolist():
            result[index, row] = None
            if detections.scores[row] < scores_from:
                continue
            best, label = iou, detections.labels[row]
            mask = detections.masks[row]
            for place, truth in enumerate(truths):
                usable = place in free and not truth.crowd
                if usable and (any_class or truth.label == label):
                    value = overlap(mask, full_mask(truth, detections.image_size), False)
                    if value >= best:
                        best, result[index, row] = value, (index, place)
            if result[index, row] is not None:
                free.remove(result[index, row][1])
                continue
            for truth in truths:
                if truth.crowd and truth.label == label:
                    if overlap(mask, full_mask(truth, detections.image_size), True) >= iou:
                        result[index, row] = "ignored"
    return result


def as_dict(matches, partner):
    truth, told = matches.truth, {}
    for image, row, who in zip(matches.found.images, rows(matches.found), partner, strict=True):
        if who >= 0:
            told[int(image), row] = int(truth.images[who]), rows(truth)[who]
        else:
            told[int(image), row] = "ignored" if who == IGNORED else None
    return told


def rows(table):
    """The place of each object within its image."""
    seen = Counter()
    return [seen.update([image]) or seen[image] - 1 for image in table.images.tolist()]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("iou", [0.3, 0.5, 0.75])
def test_the_rule_is_that_of_a_slow_loop(seed, iou):
    dataset, predictions = crowded(seed)
    matches = match(dataset, predictions, iou)
    assert as_dict(matches, matches.partner) == slowly(dataset, predictions, iou)
    assert (matches.partner_iou[matches.right] >= iou).all()
    any_class = as_dict(matches, match_any_class(matches, 0.4))
    assert any_class == slowly(dataset, predictions, iou, 0.4, any_class=True)


def test_the_better_score_goes_first_and_each_truth_is_taken_once():
    dataset = dataset_of([square(0, 10, 10)])
    matches = match(dataset, [(0, found((0, 0.5, 10, 10), (0, 0.9, 12, 10), (1, 1.0, 10, 10)))])
    assert matches.partner.tolist() == [FREE, 0, FREE]
    assert matches.partner_iou == pytest.approx([0, 18 / 22, 0])


def test_a_crowd_excuses_any_number_but_an_object_comes_first():
    dataset = dataset_of([square(0, 0, 0, 60, crowd=True), square(0, 10, 10)])
    rows = [(0, 0.9, 10, 10), (0, 0.8, 30, 30), (0, 0.7, 5, 35), (1, 0.6, 20, 20)]
    matches = match(dataset, [(0, found(*rows))])
    assert matches.partner.tolist() == [1, IGNORED, IGNORED, FREE]
    assert matches.counted.tolist() == [True, False, False, True]


def test_boxes_are_compared_as_boxes():
    there = Instance(0, box=(10, 10, 30, 30))  # no mask: ignored where masks are compared
    predictions = [(0, found((0, 0.9, 10, 10), (0, 0.8, 11, 10)))]
    dataset = dataset_of([there, square(0, 60, 60, 10)])
    assert match(dataset, predictions, iou_type="box").partner.tolist() == [0, FREE]
    assert match(dataset, predictions).partner.tolist() == [IGNORED, IGNORED]
    boxes_only = [(0, found((0, 0.9, 10, 10), mask_probabilities=None))]
    assert match(dataset, boxes_only, iou_type="box").partner_iou == pytest.approx([1])


def test_images_come_in_any_order_and_missing_ones_count():
    dataset, predictions = crowded()
    whole = match(dataset, predictions)
    backwards = match(dataset, reversed(predictions))
    assert as_dict(whole, whole.partner) == as_dict(backwards, backwards.partner)
    assert whole.found.scores.tolist() == backwards.found.scores.tolist()
    partly = match(dataset, predictions[:2])
    assert len(partly.truth.labels) == len(whole.truth.labels)
    assert set(partly.found.images) <= {0, 1}
    assert len(match(dataset, []).found.labels) == 0


def test_nothing_at_all():
    matches = match(Listed([]), [])
    assert (len(matches.found.labels), len(matches.truth.labels)) == (0, 0)
    assert match(dataset_of([]), [(0, found())]).partner.tolist() == []


def test_classes_are_matched_by_name():
    dataset = dataset_of([square(2, 10, 10)])
    others = found((0, 0.9, 10, 10), class_names=("tiger", "deer", "otter"))
    assert match(dataset, [(0, others)]).partner.tolist() == [0]


@pytest.mark.parametrize(
    ("predictions", "options", "message"),
    [
        ([(0, found()), (0, found())], {}, "at most once, got 0: it came twice"),
        ([(1, found())], {}, "got 1: the dataset has 1"),
        ([(0, found(image_size=(8, 9)))], {}, r"the truth is of \(80, 90\)"),
        ([(0, found(class_names=("deer", "cow", "x")))], {}, "← unknown"),
        ([(0, found((0, 0.9, 1, 1), mask_probabilities=None))], {}, "predictions have boxes"),
        ([], {"iou_type": "segm"}, "expected 'mask' or 'box', got 'segm'"),
        ([], {"iou": 0.05}, "iou: expected a number from 0.1 to 1, got 0.05"),
    ],
)
def test_errors(predictions, options, message):
    with pytest.raises(ValueError, match=message):
        match(dataset_of([square(0, 1, 1)]), predictions, **options)
