"""The sweep over learning rates: on a parabola, whose best rate is known, and on the network."""

import json
import math

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn import config, data, rate_finder, training
from kmaskrcnn.rate_finder import RateCurve, find_learning_rate

CURVATURE = 4.0  # gradient descent converges at rates below 2 / 4, and at once at 1 / 4


class Parabola(keras.Model):
    """w ↦ 1 + 2 w² and a noisy slope, as far as the sweep knows a network.

    Args:
        explodes: it is infinite where w > 1.
    """

    config = config.MaskRCNNConfig()
    supports_jit = False  # which takes seconds

    def __init__(self, explodes: bool = False):
        super().__init__()
        self.w = self.add_weight(shape=(), initializer="ones", name="w")
        self.mean = keras.metrics.Mean(name="loss")
        self.explodes, self.built = explodes, True

    def get_config(self):
        return {"explodes": self.explodes}

    def _batches(self, dataset, order, augmentation):
        return dataset

    def train_step(self, batch):
        loss = 1 + CURVATURE / 2 * tf.square(self.w.value)
        if self.explodes:
            loss = tf.where(self.w.value > 1, np.inf, loss)
        with tf.control_dependencies([training.stop_if_not_finite({"a": loss}, batch)]):
            noise = 0.4 * tf.cast(2 * (batch[0] % 2) - 1, tf.float32)
        self.optimizer.apply([CURVATURE * self.w.value + noise], [self.w])
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}

    def fit(self, batches, batch_size, seed, **options):
        with training.clear_errors():
            return super().fit(batches, **options)


def sweep(model=None, **options) -> RateCurve:
    model = model or Parabola()
    if not model.compiled:
        model.compile(keras.optimizers.SGD())
    stream = tf.data.Dataset.range(7).batch(1)
    return find_learning_rate(model, stream, **{"low": 1e-4, "high": 50.0, **options})


@pytest.fixture(scope="module")
def curve():
    return sweep()


def test_every_step_has_a_higher_rate_and_its_own_loss():
    seen = []
    curve = sweep(num_steps=10, high=0.1, on_step=lambda *step: seen.append(step))
    np.testing.assert_allclose(np.diff(np.log10(curve.rates)), 1 / 3, rtol=1e-3)
    assert curve.losses[0] == 3 and len(curve.losses) == len(curve.smoothed) == 10
    assert seen == list(zip(range(1, 11), curve.rates, curve.losses, strict=True))


def test_a_parabola_has_its_rate(curve):
    assert 0.5 / CURVATURE < curve.limit < 2 / CURVATURE
    assert curve.suggestion == pytest.approx(curve.limit / 4)


def test_a_divergence_ends_the_sweep(curve):
    assert curve.diverged and len(curve.rates) < 100 and curve.rates[-1] < 50
    assert curve.smoothed[-1] > 3 * min(curve.smoothed) and np.isfinite(curve.losses).all()
    assert "blows up at" in str(curve)


def test_rates_too_low_for_harm_are_swept_to_the_end():
    curve = sweep(high=0.01, num_steps=20)
    assert not curve.diverged and len(curve.rates) == 20
    assert curve.rates[-1] == pytest.approx(0.01) and curve.limit == curve.rates[-1]
    assert "try higher ones" in str(curve)
    assert sweep(low=0.009, high=0.01, num_steps=10).suggestion == pytest.approx(0.009)


def test_a_loss_that_is_not_finite_ends_it_too():
    model = Parabola(explodes=True)
    model.w.assign(2.0)
    with pytest.raises(training.NonFiniteLossError, match="at the first step"):
        sweep(model, num_steps=10)
    model.w.assign(-0.5)
    curve = sweep(model, low=0.1, high=5.0, num_steps=50)  # overshoots to the other side
    assert curve.diverged and len(curve.rates) < 50 and np.isfinite(curve.losses).all()


def test_the_model_keeps_its_weights_and_its_optimizer():
    model = Parabola()
    model.compile(keras.optimizers.SGD(0.3, momentum=0.5))
    model.optimizer.build(model.trainable_variables)
    model.optimizer.apply([tf.constant(0.5)], [model.w])
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    optimizer = model.optimizer
    assert sweep(model, num_steps=10).rates
    after = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    assert model.optimizer is optimizer
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_copy_learns_as_the_model_would():
    model = Parabola()
    model.compile(training.default_optimizer(model.config.replace(optimizer="adamw"), 9, 2))
    rate = rate_finder.GrowingRate(1e-3, 1e-1, 3)
    optimizer = rate_finder._sweeping(model, rate, 2)
    assert isinstance(optimizer, keras.optimizers.AdamW) and not training.is_default(optimizer)
    optimizer.build([keras.Variable(1.0, name="bias"), keras.Variable(1.0, name="kernel")])
    uses = [optimizer._use_weight_decay(v) for v in optimizer._trainable_variables]
    assert uses == [False, True]
    np.testing.assert_allclose([rate(i) for i in range(3)], [1e-3, 1e-2, 1e-1], rtol=1e-5)
    again = rate_finder.GrowingRate(**rate.get_config())
    assert float(again(1)) == float(rate(1))


@pytest.mark.parametrize(
    "wrong", [{"low": 0}, {"low": 2, "high": 1}, {"num_steps": 9}, {"high": math.nan}]
)
def test_wrong_sweeps_are_refused(wrong):
    with pytest.raises(ValueError, match="0 < low < high and 10 steps"):
        sweep(**wrong)


def test_the_limit_is_where_the_floor_of_the_curve_ends():
    rates = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert rate_finder.limit(rates, [9.0, 1.0, 1.2, 1.1, 5.0]) == 4
    assert rate_finder.limit(rates, [5.0, 4.0, 3.0, 2.0, 1.0]) == 5
    assert rate_finder.limit(rates, [1.0, 2.0, 3.0, 4.0, 5.0]) == 1


def test_smoothing_shifts_nothing():
    assert rate_finder.smooth([3.0, 3.0, 3.0], 2.0) == pytest.approx([3, 3, 3])
    near, far = math.exp(-0.5), math.exp(-2)
    expected = [near / (1 + near + far), 1 / (1 + 2 * near), near / (1 + near + far)]
    assert rate_finder.smooth([0.0, 1.0, 0.0], width=1) == pytest.approx(expected)
    assert rate_finder.smooth([], 2.0) == []


def test_the_curve_is_drawn_and_written(curve, tmp_path):
    path = curve.save(tmp_path / "new" / "rates.png")
    picture = cv2.imread(str(path)).astype(int)
    assert picture.shape[1] > picture.shape[0] > 400
    assert (picture[..., 2] - picture[..., 1] > 100).sum() > 100  # the suggestion, in red
    assert json.loads(json.dumps(curve.to_dict()))["suggestion"] == curve.suggestion


def test_the_networks_own_sweep_leaves_it_as_it_was():
    shapes = data.ShapesDataset(4, image_size=(32, 32))
    model = kmaskrcnn.MaskRCNN.from_preset("tiny", shapes.class_names, min_size=32, max_size=32)
    model.freeze("C2")
    before = [variable.numpy() for variable in model.variables]
    curve = kmaskrcnn.find_learning_rate(model, shapes, num_steps=12, seed=3)
    after = [variable.numpy() for variable in model.variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert not model.compiled and model.pace.builds == 0
    assert curve.rates[0] <= curve.suggestion <= curve.rates[-1]
    assert len(curve.rates) == 12 or curve.diverged
