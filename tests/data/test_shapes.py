"""The drawn dataset: the same again, overlapping, worth learning from."""

import numpy as np
import pytest

from kmaskrcnn.data import ShapesDataset


def test_the_seed_and_the_index_decide():
    first, second = ShapesDataset(5, seed=3)[4], ShapesDataset(9, seed=3)[4]
    np.testing.assert_array_equal(first.image, second.image)
    for left, right in zip(first.instances, second.instances, strict=True):
        np.testing.assert_array_equal(left.mask, right.mask)
    assert not np.array_equal(first.image, ShapesDataset(5, seed=4)[4].image)
    assert not np.array_equal(first.image, ShapesDataset(5, seed=3)[3].image)


def test_masks_are_the_visible_parts():
    """No pixel belongs to two objects, and something covers something."""
    covered = 0
    for sample in list_samples(60):
        masks = [instance.mask for instance in sample.instances]
        if not masks:
            continue
        assert np.sum(masks, axis=0).max() == 1
        assert min(mask.sum() for mask in masks) > 20
        for mask, instance in zip(masks, sample.instances, strict=True):
            rows, columns = np.nonzero(mask)
            box_share = mask.sum() / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1))
            covered += instance.label == 1 and box_share < 0.45
    assert covered > 0


def list_samples(count: int, **options):
    dataset = ShapesDataset(count, **options)
    return [dataset[index] for index in range(count)]


def test_every_class_and_empty_images_occur():
    samples = list_samples(120)
    counts = np.bincount([i.label for s in samples for i in s.instances], minlength=3)
    assert counts.min() > 60
    assert 1 <= sum(not s.instances for s in samples) <= 20
    assert max(len(s.instances) for s in samples) == 6


def test_objects_stand_out_from_their_ground():
    """The colours inside differ from those around: it can be learnt."""
    differences = []
    for sample in list_samples(30, max_objects=1, empty_share=0):
        mask = sample.instances[0].mask
        inside, outside = sample.image[mask].mean(0), sample.image[~mask].mean(0)
        differences.append(np.abs(inside - outside).max())
    assert np.median(differences) > 30


def test_several_sizes():
    sizes = {s.image.shape[:2] for s in list_samples(30, image_size=[(64, 96), (96, 64)])}
    assert sizes == {(64, 96), (96, 64)}
    assert all(s.size == s.image.shape[:2] for s in list_samples(4, image_size=(40, 50)))


def test_indices_behave_as_those_of_a_list():
    dataset = ShapesDataset(3)
    np.testing.assert_array_equal(dataset[-1].image, dataset[2].image)
    with pytest.raises(IndexError):
        dataset[3]
    assert len(list(dataset)) == 3


@pytest.mark.parametrize(
    "options", [{"image_size": (16, 64)}, {"max_objects": 0}, {"image_size": []}]
)
def test_impossible_wishes_are_refused(options):
    with pytest.raises(ValueError, match="expected numbers from 1 up"):
        ShapesDataset(3, **options)
