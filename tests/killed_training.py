"""A training of seconds that kills itself: ``python -m tests.killed_training FOLDER MOMENT``.

MOMENT is ``epoch N``, ``save N`` (half of the checkpoint is written) or ``measure N``, N from 0.
"""

import os
import signal
import sys

import keras
import tensorflow as tf

from kmaskrcnn import MaskRCNN, data

EPOCHS = 3
SIZES = {"min_size": 32, "max_size": 64}


def dataset(images=2, seed=0):
    return data.ShapesDataset(images, seed=seed, image_size=(32, 32))


def tiny(seed=0, **config):
    keras.utils.set_random_seed(seed)
    return MaskRCNN.from_preset("tiny", dataset().class_names, **SIZES, **config)


def fit(model, folder, train=None, **options):
    """The one training of these tests; what is given replaces its options."""
    usual = {"epochs": EPOCHS, "batch_size": 1, "learning_rate": 0.01, "verbose": 0}
    usual |= {"validation_data": dataset(1, seed=1), "folder": folder}
    return model.fit(train or dataset(), **{**usual, **options})


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class KillIn(keras.callbacks.Callback):
    """At the end of the first step of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.running = epoch, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.running = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.running == self.epoch:
            kill()


def kill_while_saving(number):
    """Cuts the writing of the checkpoint of this number in the middle."""
    whole, calls = keras.saving.save_model, []

    def half(model, path):
        whole(model, path)
        calls.append(path)
        if len(calls) > number:
            os.truncate(path, os.path.getsize(path) // 2)
            kill()

    keras.saving.save_model = half


def kill_while_measuring(model, number):
    measure, calls = model._measure, []

    def half(evaluator):
        calls.append(evaluator)
        return kill() if len(calls) > number else measure(evaluator)

    model._measure = half


def main(folder, moment):
    tf.config.run_functions_eagerly(True)
    what, number = moment.split()
    model, callbacks = tiny(), []
    if what == "epoch":
        callbacks = [KillIn(int(number))]
    elif what == "save":
        kill_while_saving(int(number))
    else:
        kill_while_measuring(model, int(number))
    fit(model, folder, resume=True, callbacks=callbacks)


if __name__ == "__main__":
    main(*sys.argv[1:])
