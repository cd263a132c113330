"""Samples read and warped: what is reported of objects of which nothing is left."""

import numpy as np
import pytest

from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.data.geometry import crop, flip, identity, resize, rotate
from tests.data.samples import ListDataset, noise_image, source_of

USUAL = resize(identity((40, 50)), (80, 100))
FLAT = Instance(0, box=(5, 5, 5, 9), annotation_id=7)
AT_THE_EDGE = Instance(0, box=(45, 5, 49, 9), annotation_id=8)


@pytest.mark.parametrize(
    ("view", "reported"),
    [
        (USUAL, ["image None, annotation 7"]),
        (flip(USUAL), ["image None, annotation 7"]),
        (crop(USUAL, 0, 0, (80, 80)), []),
        (rotate(USUAL, 30), []),
        (resize(identity((40, 50)), (8, 10)), []),
    ],
    ids=["usual", "mirrored", "cut", "turned", "shrunk"],
)
def test_an_object_is_reported_only_where_the_augmentation_is_not_to_blame(view, reported):
    sample = Sample(noise_image(40, 50), [FLAT, AT_THE_EDGE])
    source = source_of(ListDataset([sample]), 80, 100)
    drawn = source.seen(sample, sample.image, view)
    assert drawn.image.shape[:2] == view.size
    places = [p for kind in source.report.counts for p in source.report.places(kind)]
    assert places == reported


def test_a_sample_and_its_image_are_read():
    sample = Sample(noise_image(40, 50))
    found, image = source_of(ListDataset([sample]), 80, 100).read(0)
    assert found is sample
    np.testing.assert_array_equal(image, sample.image)
