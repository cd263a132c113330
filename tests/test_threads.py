"""One model in many threads: the results of one thread, whatever else it is doing meanwhile."""

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from benchmarks.threads import difference
from kmaskrcnn import data
from kmaskrcnn.model import MaskRCNN
from tests.data.samples import noise_image

THREADS = 8
SIZES = [(64, 64), (50, 90), (120, 40), (33, 77), (1, 1), (200, 60)]


@pytest.fixture(scope="module")
def images():
    return [noise_image(*SIZES[i % len(SIZES)], seed=i) for i in range(24)]


@pytest.fixture(scope="module")
def model():
    return fresh()


@pytest.fixture(scope="module")
def expected(model, images):
    """What one thread finds."""
    return model.predict(images)


def fresh():
    """The same weights every time, not traced yet."""
    random.seed(0)  # from which Keras draws the seeds of its initializers
    names = ["circle", "square", "triangle"]
    return MaskRCNN.from_preset("tiny", names, score_threshold=0.0)


def assert_same(found, expected):
    assert [difference(one, two) for one, two in zip(found, expected, strict=True)] == [0.0] * 24


def test_eight_threads_whose_first_calls_meet(images, expected):
    untraced, barrier = fresh(), Barrier(THREADS)

    def work(start):
        barrier.wait()
        return [(i, untraced.predict(images[i])[0]) for i in range(start, len(images), THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(pair for pairs in pool.map(work, range(THREADS)) for pair in pairs)
    assert_same([found[i] for i in range(len(images))], expected)
    assert untraced._detect_bytes.experimental_get_tracing_count() == 1


def test_a_difference_is_seen(expected):
    one, other = expected[:2]
    moved = dataclasses.replace(one, boxes=one.boxes + np.float32(0.25))
    assert difference(one, one) == 0 and difference(one, moved) == pytest.approx(0.25, abs=1e-4)
    assert difference(one, one.filter(score=1.1)) == float("inf")
    assert difference(one, other) > 0


def test_predicting_while_another_thread_evaluates(model, images, expected):
    dataset = data.ShapesDataset(3, seed=1, image_size=(64, 64))
    alone = model.evaluate(dataset, verbose=0)
    with ThreadPoolExecutor(2) as pool:
        meanwhile = pool.submit(model.evaluate, dataset, verbose=0)
        found = model.predict(images)
        figures = meanwhile.result()
    assert_same(found, expected)
    np.testing.assert_equal(figures, alone)  # nan equals nan
