"""A DataError comes out of tf.data as itself, and other errors stay what they are."""

import pytest
import tensorflow as tf

from kmaskrcnn.data import DataError, clear_errors, find_data_error


def failing(error: Exception) -> tf.data.Dataset:
    def fail(value):
        raise error

    return tf.data.Dataset.range(2).map(lambda v: tf.numpy_function(fail, [v], tf.int64))


MESSAGE = "a.json, annotation 7: two lines\n  of text: and a colon"


def test_the_message_comes_out_whole():
    with pytest.raises(DataError) as caught, clear_errors():
        list(failing(DataError(MESSAGE)).batch(2).prefetch(1))
    assert str(caught.value) == MESSAGE
    assert caught.value.__suppress_context__


def test_it_can_be_found_without_the_context():
    with pytest.raises(tf.errors.OpError) as caught:
        list(failing(DataError(MESSAGE)))
    assert str(find_data_error(caught.value)) == MESSAGE


def test_other_errors_pass():
    with pytest.raises(tf.errors.OpError, match="no data"), clear_errors():
        list(failing(RuntimeError("no data")))
    with pytest.raises(KeyError), clear_errors():
        raise KeyError("a")
    assert find_data_error(ValueError("DataError: said by someone else")) is None


def test_a_data_error_is_a_value_error():
    error = DataError("a")
    assert isinstance(error, ValueError) and find_data_error(error) is error
