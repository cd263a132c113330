"""Images without objects are kept, trained on, and what they teach is to raise no false alarms."""

import keras
import numpy as np
import pytest

from kmaskrcnn import data
from kmaskrcnn.model import MaskRCNN
from tests.data.samples import ListDataset, noise_image


@pytest.fixture(scope="module")
def empty():
    return ListDataset([data.Sample(noise_image(64, 64, seed)) for seed in range(2)])


def test_they_are_in_the_batches_with_nothing_but_padding(empty):
    [(inputs, targets)] = data.batches(empty, data.InputSize(64, 64), data.Order(batch_size=2))
    assert inputs["images"].shape[0] == 2
    assert np.all(targets["labels"] == -1)


def test_they_lower_false_alarms(empty):
    """A few steps on them alone, and no class is as likely anywhere as it was."""
    model = MaskRCNN.from_preset("tiny", empty.class_names, score_threshold=0.0)
    model.compile(keras.optimizers.SGD(0.1))
    [(inputs, targets)] = data.batches(empty, data.InputSize(64, 64), data.Order(batch_size=2))
    before = model(inputs)["scores"].numpy()
    losses = [float(model.train_step((inputs, targets))["loss"]) for _ in range(2)]
    after = model(inputs)["scores"].numpy()
    assert np.all(np.isfinite(losses))
    assert after.max() < 0.5 * before.max()
