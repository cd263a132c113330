"""The default optimizer, its schedule, and what watches over a training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import training
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.structures import Detections


def test_rate_warms_up_and_is_divided_at_the_boundaries():
    schedule = training.WarmupSteps(0.1, 10, [70, 90])
    steps = [0, 5, 10, 69, 70, 89, 90]
    expected = [0.0001, 0.0501, 0.1, 0.1, 0.01, 0.01, 0.001]
    np.testing.assert_allclose([schedule(s) for s in steps], expected, rtol=1e-5)
    again = training.WarmupSteps(**schedule.get_config())
    assert [float(again(s)) for s in steps] == [float(schedule(s)) for s in steps]


def test_default_optimizer_scales_the_papers_rate_to_the_batch():
    optimizer = training.default_optimizer(MaskRCNNConfig(warmup_steps=0), 100, 4)
    optimizer.build([keras.Variable(np.ones(2), name="kernel")])
    optimizer.iterations.assign(50)
    assert float(optimizer.learning_rate) == pytest.approx(0.02 * 4 / 16)
    assert training.is_default(optimizer) and not training.is_default(keras.optimizers.SGD())
    assert training.is_default(keras.optimizers.LossScaleOptimizer(optimizer))


def test_adamw_is_a_switch():
    config = MaskRCNNConfig(optimizer="adamw", warmup_steps=0)
    optimizer = training.default_optimizer(config, 100, 4)
    assert isinstance(optimizer, keras.optimizers.AdamW) and training.is_default(optimizer)
    optimizer.build([keras.Variable(np.ones(2), name="kernel")])
    assert float(optimizer.learning_rate) == pytest.approx(5e-4 / 2)
    with pytest.raises(ValueError, match="optimizer"):
        MaskRCNNConfig(optimizer="adam")


def test_decay_leaves_biases_and_norms_alone():
    optimizer = training.default_optimizer(MaskRCNNConfig(warmup_steps=0), 100, 16)
    variables = [keras.Variable(np.ones(1), name=name) for name in ("kernel", "bias", "gamma")]
    optimizer.apply([tf.zeros(1)] * 3, variables)
    kernel, bias, gamma = (float(v.value[0]) for v in variables)
    assert kernel == pytest.approx(1 - 0.02 * 1e-4 / (1 - 0.9), rel=1e-6)
    assert bias == gamma == 1


def test_headline_leaves_classes_out():
    assert training.headline({"box/AP": 1, "box/AP/deer": 2}) == {"box/AP": 1}


def test_a_finite_loss_passes_and_another_error_keeps_its_type():
    training.stop_if_not_finite({"a": tf.constant(1.0)}, tf.constant([3]))
    with pytest.raises(tf.errors.InvalidArgumentError), training.clear_errors():
        tf.debugging.Assert(tf.constant(False), ["something else"])


def test_a_loss_that_is_not_finite_is_named_with_its_images():
    with (
        pytest.raises(training.NonFiniteLossError, match=r"b inf.*images \[3 4\]"),
        training.clear_errors(),
    ):
        losses = {"a": tf.constant(1.0), "b": tf.constant(np.inf)}
        training.stop_if_not_finite(losses, tf.constant([3, 4]))


def test_the_files_of_a_loss_that_is_not_finite_are_named():
    samples = [Sample(f"photos/{name}.jpg") for name in "abcdefghij"]
    for dataset, expected in (
        (samples, r"\[9 0 2 3 4 5 6\].*dataset: photos/j.jpg, photos/a.jpg, .*photos/g.jpg\)"),
        (samples[:3], r"\[9 0 2 3 4 5 6\] \(their places in the dataset\)"),
        (tf.data.Dataset.range(2), r"\[9 0 2 3 4 5 6\] \(their places in the dataset\)"),
    ):
        with (
            pytest.raises(training.NonFiniteLossError, match=expected),
            training.clear_errors(dataset),
        ):
            places = tf.constant([9, 0, 2, 3, 4, 5, 6])
            training.stop_if_not_finite({"a": tf.constant(np.nan)}, places)


class Listed(list):
    """Samples as a dataset."""

    class_names = ("deer",)


class Finder:
    """Predicts nothing, and remembers of what."""

    def __init__(self):
        self.seen = []

    def predict(self, image):
        self.seen.append(image)
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)
        return [
            Detections(*nothing, class_names=("deer",), image_size=image.shape[:2], image=image)
        ]


def test_pictures_are_of_the_same_images_with_objects(tmp_path):
    """Of ten images every third has an object; a picture after the first, every 4th, last epoch."""
    images = [np.full((32, 32, 3), 20 * i, np.uint8) for i in range(10)]
    boxes = {i: [Instance(0, box=(4, 4, 20, 20))] for i in (1, 4, 7)}
    dataset = Listed([Sample(image, boxes.get(i, [])) for i, image in enumerate(images)])
    callback = training.ValidationPictures(dataset, tmp_path / "new", limit=2, every=4)
    finder = Finder()
    callback.set_model(finder)
    callback.set_params({"epochs": 10})
    for epoch in range(10):
        callback.on_epoch_end(epoch)
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == [f"epoch_{number:03d}.jpg" for number in (1, 4, 8, 10)]
    assert [int(image[0, 0, 0]) for image in finder.seen] == 4 * [20, 80]


def test_the_best_are_shown_where_none_is_certain():
    boxes = np.array([[0, 0, 9, 9]] * 3, np.float32)
    scores = np.array([0.3, 0.2, 0.1], np.float32)
    found = Detections(
        boxes, scores, np.zeros(3, np.int32), class_names=("deer",), image_size=(9, 9)
    )
    assert [len(training._likely(found, 0.25, least)) for least in (0, 1, 2, 9)] == [1, 1, 2, 3]
    assert training._likely(found, 0.25, 2).scores[1] == np.float32(0.2)
