"""Stochastic gradient descent in few passes over the weights."""

from __future__ import annotations

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kmaskrcnn")
class SGD(keras.optimizers.SGD):
    """Keras' SGD with momentum, updated by TensorFlow's own op: the same numbers.

    Keras' own is written in single operations, which go over 44 million weights 22 times, most of
    them into fresh memory: a tenth of a training step. Arguments, state and files are Keras' own.
    """

    def update_step(self, gradient, variable, learning_rate):
        if isinstance(variable, keras.Variable):
            variable = variable.value
        rate = tf.cast(learning_rate, variable.dtype)
        if self.weight_decay is not None and self._use_weight_decay(variable):
            variable.assign_sub(variable * (rate * tf.cast(self.weight_decay, rate.dtype)))
        if not self.momentum or self.nesterov or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=self.momentums[self._get_variable_index(variable)].value.handle,
            lr=rate,
            grad=tf.cast(gradient, rate.dtype),
            momentum=tf.cast(self.momentum, rate.dtype),
        )

    def _apply_weight_decay(self, variables):
        """Comes with the update of each variable."""

    def _clip_gradients(self, gradients):
        if self.global_clipnorm:
            return tf.clip_by_global_norm(gradients, self.global_clipnorm)[0]
        return super()._clip_gradients(gradients)
