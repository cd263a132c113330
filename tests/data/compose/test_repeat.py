"""Repeat-factor sampling: the factors of the paper, and what stays as it was."""

import numpy as np
import pytest

from kmaskrcnn.data import ShapesDataset, repeat_factor
from kmaskrcnn.data.compose.repeat import repeat_factors
from tests.data.compose.rows import dataset, ids


def test_the_paper_s_factors():
    """Class 0 on 8 of 10 images, 1 on 2 of 10, 2 on 1 of 10; a tenth image without objects."""
    rows = [[0, 0]] * 7 + [[0, 1, 1], [1, 2], []]
    factors = repeat_factors(rows, 4, threshold=0.4)
    r = {1: np.sqrt(0.4 / 0.2), 2: np.sqrt(0.4 / 0.1)}
    np.testing.assert_allclose(factors, [1] * 7 + [r[1], r[2], 1])
    assert repeat_factors(rows, 4, threshold=0.1).tolist() == [1] * 10


def test_the_dataset_itself_stays_as_it_was():
    plain = dataset([0], [0], [0], [0, 1])
    plain.category_ids = (5, 6, 7, 8)
    repeated = repeat_factor(plain, 1.0)
    assert len(repeated) == 4 and ids(repeated) == [0, 1, 2, 3]
    assert repeated.repeats.tolist() == [1, 1, 1, 2] and repeated.category_ids == (5, 6, 7, 8)
    assert repeated.description == "ListDataset, rare classes repeated to 5 images an epoch"
    assert repeat_factor(ShapesDataset(3, image_size=(32, 32))).repeats.tolist() == [1] * 3


@pytest.mark.parametrize("threshold", [0, -1, 1.5])
def test_a_threshold_is_a_share(threshold):
    with pytest.raises(ValueError, match="expected the share of images below which a class"):
        repeat_factor(dataset([0]), threshold)
