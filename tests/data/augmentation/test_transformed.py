"""Transforms of other libraries: what they get, what is made of what they return."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, Sample, ShapesDataset, Transformed
from kmaskrcnn.data.augmentation.draw import draw
from tests.data.samples import ListDataset, full_mask, noise_image, source_of

NAMES = ("nose", "left_eye", "right_eye")
POINTS = np.array([[12.0, 12, 2], [10, 10, 2], [14, 10, 1]])


class Mirror:
    """Mirrors left and right, as ``albumentations.HorizontalFlip(p=share)`` does."""

    def __init__(self, share: float = 1.0) -> None:
        self.share, self.rng = share, np.random.default_rng()

    def set_random_seed(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def __call__(self, image, masks, keypoints=None):
        if self.rng.random() >= self.share:
            return {"image": image, "masks": masks, "keypoints": keypoints}
        moved = None if keypoints is None else [[image.shape[1] - x, y] for x, y in keypoints]
        mirrored = [mask[:, ::-1] for mask in masks]
        return {"image": image[:, ::-1], "masks": mirrored, "keypoints": moved}


def dataset(with_keypoints: bool = True) -> ListDataset:
    mask = np.zeros((40, 50), bool)
    mask[5:20, 5:20] = True
    polygon = [np.array([[20.25, 8], [40.5, 8.5], [30, 30.75]])]
    instances = [
        Instance(0, mask, keypoints=POINTS if with_keypoints else None),
        Instance(1, polygon),
        Instance(1, box=(2.5, 30, 12, 38.5)),
    ]
    made = ListDataset([Sample(noise_image(40, 50), instances)])
    if with_keypoints:
        made.keypoint_names = NAMES
    return made


def drawn_through(transform, data=None, seed=0, **options):
    source = source_of(data or dataset(), 40, 50)
    return draw(source, 0, Transformed(transform, **options), np.random.default_rng(seed))


def test_a_mirror_moves_everything_and_swaps_sides():
    plain, seen = drawn_through(Mirror(0.0)), drawn_through(Mirror())
    np.testing.assert_array_equal(seen.image, plain.image[:, ::-1])
    masks = [[full_mask(*m, (40, 50)) for m in d.truths.masks] for d in (plain, seen)]
    for one, other in zip(*masks, strict=True):
        np.testing.assert_array_equal(one[:, ::-1], other)
    np.testing.assert_array_equal(seen.truths.boxes[0], [30, 5, 45, 20])
    np.testing.assert_array_equal(seen.truths.boxes[2], [38, 30, 48, 39])  # of whole pixels
    expected = [[38, 12, 2], [36, 10, 1], [40, 10, 2]]
    np.testing.assert_allclose(seen.truths.keypoints[0], expected)


def test_what_is_left_as_it_is_stays_exact():
    plain = drawn_through(Mirror(0.0))
    np.testing.assert_allclose(plain.truths.boxes[1], [20.25, 8, 40.5, 30.75])
    np.testing.assert_allclose(plain.truths.keypoints[0], POINTS)
    assert plain.truths.masks[2][1].size == 0  # a box stays without a mask


def test_objects_that_are_cut_away_are_left_out():
    def upper_left(image, masks, keypoints):
        cut = [mask[:20, :25] for mask in masks]
        return {"image": image[:20, :25], "masks": cut, "keypoints": keypoints}

    seen = drawn_through(upper_left)
    assert seen.image.shape == (20, 25, 3) and seen.truths.labels.tolist() == [0, 1]
    assert len(seen.truths.masks) == len(seen.truths.keypoints) == 2


def test_the_seed_decides_and_our_own_switches_come_first():
    first, second = (
        [drawn_through(Mirror(0.5), seed=s).image.tobytes() for s in range(12)] for _ in range(2)
    )
    assert first == second and len(set(first)) == 2
    assert drawn_through(Mirror(0.0), before="crop").image.tobytes() not in first


def test_without_keypoints_none_are_given():
    def plain(image, masks):
        return {"image": image, "masks": masks}

    assert drawn_through(plain, dataset(False)).truths.keypoints.shape == (3, 0, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((40, 50, 3))}, "expected an image .h, w, 3. of uint8, got .* float64"),
        ({"masks": []}, "expected 3 masks .40, 50., got 0"),
        ({"masks": [np.zeros((4, 5))] * 3}, r"got 3 \[\(4, 5\)\]"),
        ({"keypoints": np.zeros((1, 2))}, "expected 12 keypoints, got 1: .*remove_invisible"),
        ({"image": None}, "augmentation mine: "),
        ("nothing", "augmentation mine: TypeError"),
    ],
)
def test_what_a_transform_must_not_return(changes, message):
    def mine(**given):
        return None if changes == "nothing" else given | changes

    with pytest.raises(DataError, match=f"augmentation mine: .*{message.split('mine: ')[-1]}"):
        drawn_through(mine)


def test_albumentations_itself():
    """Where it is installed: its flip is ours, and a seed repeats it."""
    albumentations = pytest.importorskip("albumentations")
    points = albumentations.KeypointParams("xy", remove_invisible=False)
    flip = albumentations.Compose([albumentations.HorizontalFlip(p=1.0)], keypoint_params=points)
    theirs, ours = drawn_through(flip), drawn_through(Mirror())
    np.testing.assert_array_equal(theirs.image, ours.image)
    np.testing.assert_array_equal(theirs.truths.boxes, ours.truths.boxes)
    np.testing.assert_allclose(theirs.truths.keypoints, ours.truths.keypoints, atol=1.01)
    steps = [albumentations.ElasticTransform(p=1.0), albumentations.ColorJitter(p=1.0)]
    elastic = albumentations.Compose(steps)
    data = ShapesDataset(1, image_size=(40, 50))
    first, second, third = (drawn_through(elastic, data, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, second.image)
    assert (first.image != third.image).any() and len(first.truths.labels) > 0
