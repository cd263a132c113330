"""Copy-paste: pixels and masks of the pasted, and what becomes of the objects below."""

import numpy as np
import pytest

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data import Instance, Sample, ShapesDataset
from kmaskrcnn.data.augmentation.copy_paste import paste, paste_objects
from kmaskrcnn.data.augmentation.draw import draw, draw_one
from kmaskrcnn.data.geometry import identity
from tests.data.samples import ListDataset, full_mask, source_of

PASTE = Augmentation(copy_paste=1.0)


def square(left: int, top: int, side: int = 10, **changes) -> Instance:
    mask = np.zeros((30, 40), bool)
    mask[top : top + side, left : left + side] = True
    return Instance(**{"label": 0, "mask": mask, **changes})


def grey(value: int, *instances: Instance) -> Sample:
    return Sample(np.full((30, 40, 3), value, np.uint8), instances)


def drawn_as_it_is(sample: Sample):
    source = source_of(ListDataset([sample]), 30, 40)
    return source.seen(sample, sample.image, identity((30, 40)))


def test_pixels_masks_and_boxes_of_both():
    below = drawn_as_it_is(grey(50, square(5, 5), square(25, 15, label=1)))
    above = drawn_as_it_is(grey(200, square(10, 5)))
    pasted = paste(below, above, 0.1)
    expected = np.full((30, 40), 50)
    expected[5:15, 10:20] = 200
    np.testing.assert_array_equal(pasted.image, np.repeat(expected[..., None], 3, 2))
    assert pasted.truths.labels.tolist() == [0, 1, 0]
    expected_boxes = [[5, 5, 10, 15], [25, 15, 35, 25], [10, 5, 20, 15]]
    np.testing.assert_array_equal(pasted.truths.boxes, expected_boxes)
    masks = [full_mask(*mask, (30, 40)) for mask in pasted.truths.masks]
    assert np.sum(masks, axis=0).max() == 1 and [int(m.sum()) for m in masks] == [50, 100, 100]


def test_a_blended_edge_is_soft_and_the_middle_is_not():
    below, above = drawn_as_it_is(grey(50)), drawn_as_it_is(grey(200, square(10, 5)))
    seen = paste(below, above, 0.1, blend=1.0).image[10, :, 0]
    assert seen[15] == 200 and seen[2] == 50 and 50 < seen[9] < 125 < seen[10] < 200


def test_crowds_and_boxes_are_not_pasted():
    others = grey(200, square(2, 2, crowd=True), Instance(1, box=(5, 5, 20, 20)))
    below = drawn_as_it_is(grey(50, square(20, 15)))
    source = source_of(ListDataset([others]), 30, 40)
    assert paste_objects(below, source, PASTE, np.random.default_rng(0)) is below


@pytest.mark.parametrize(("count", "expected"), [((2, 2), {2}), ((0, 9), {0, 1, 2, 3})])
def test_as_many_objects_as_there_are_and_may_be(count, expected):
    others = grey(200, *(square(10 * i, 3, 8, label=1) for i in range(3)))
    below, source = drawn_as_it_is(grey(50)), source_of(ListDataset([others]), 30, 40)
    augmentation = PASTE.replace(paste_count=count)
    numbers = {
        len(paste_objects(below, source, augmentation, np.random.default_rng(i)).truths.labels)
        for i in range(20)
    }
    assert numbers == expected


def test_what_is_seen_of_each_object_is_what_its_mask_says():
    """Shapes are painted in one colour each, so pixels and masks can be compared."""
    source = source_of(ShapesDataset(6, image_size=(48, 64)), 48, 64)
    plain = [draw_one(source, i, Augmentation(), np.random.default_rng(0)) for i in range(6)]
    differing = 0
    for seed in range(10):
        seen = draw(source, seed % 6, PASTE, np.random.default_rng(seed))
        masks = np.array([full_mask(*mask, (48, 64)) for mask in seen.truths.masks])
        pasted = (seen.image != plain[seed % 6].image).any(-1)
        assert not (pasted & ~masks.any(0)).any()  # nothing is pasted beside the masks
        differing += pasted.any()
        for (left, top, right, bottom), box in zip(
            (mask[0] for mask in seen.truths.masks), seen.truths.boxes, strict=True
        ):
            np.testing.assert_allclose(box, [left, top, right, bottom], atol=1.01)
    assert differing >= 8


def test_the_generator_alone_decides():
    source = source_of(ShapesDataset(6, image_size=(48, 64)), 48, 64)
    policy = Augmentation.named("lsj+copy_paste+mosaic+color")
    first, second, third = (
        draw(source, 2, policy, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.truths.boxes, second.truths.boxes)
    assert first.image.shape != third.image.shape or (first.image != third.image).any()
