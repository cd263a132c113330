"""A model that is one number, and data that keep it waiting: what is timed costs nothing else."""

import time

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn import pace

BATCH, STEPS, SLEEP = 4, 6, 0.05


class OneNumber(keras.Model):
    """Learns nothing; reports to its stopwatch, and may take its time."""

    def __init__(self, work: float = 0.0):
        super().__init__()
        self.pace, self.work = pace.Pace(), work
        self.number = self.add_weight(shape=())
        self.built = True

    def train_step(self, batch):
        inputs, _ = self.pace.arrived(batch)
        total = tf.reduce_sum(inputs["images"])
        tf.py_function(lambda _: time.sleep(self.work), [total], [])
        return {"loss": self.number.value, "mask_loss": self.number.value}

    def test_step(self, batch):
        return {"loss": self.number.value}


def batches(sleep: float = 0.0) -> tf.data.Dataset:
    """Batches as of `data.batches`, each of which takes so many seconds to make."""

    def generate():
        for _ in range(STEPS * BATCH):
            time.sleep(sleep / BATCH)
            yield {"images": np.zeros((2, 2), np.float32)}, {"labels": 0}

    spec = {"images": tf.TensorSpec([2, 2])}, {"labels": tf.TensorSpec([], tf.int32)}
    stream = tf.data.Dataset.from_generator(generate, output_signature=spec).batch(BATCH)
    return stream.apply(tf.data.experimental.assert_cardinality(STEPS))
