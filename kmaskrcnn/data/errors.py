"""The one error that bad data raises, and its way out of ``tf.data``, which wraps it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

_WRAPPED = re.compile(
    r"DataError: (?P<message>.*?)(?:\nTraceback \(most recent call last\)|\Z)", re.DOTALL
)


class DataError(ValueError):
    """Data that cannot be used: the message names the file, what was expected and what came."""


def find_data_error(error: BaseException) -> DataError | None:
    """The ``DataError`` that ``tf.data`` has wrapped into ``error``.

    Args:
        error: an exception, as a rule a ``tf.errors.OpError`` out of an iteration.

    Returns:
        The error with its own message, or None where ``error`` came from something else.
    """
    if isinstance(error, DataError):
        return error
    found = _WRAPPED.search(str(error)) if isinstance(error, tf.errors.OpError) else None
    return DataError(found["message"].strip()) if found else None


@contextmanager
def clear_errors() -> Iterator[None]:
    """Raises a ``DataError`` in the place of the ``tf.errors.OpError`` that wraps it.

    Whoever iterates over ``batches`` puts the loop inside: the user then reads one sentence about a
    file, and not sixty lines about an iterator.
    """
    try:
        yield
    except tf.errors.OpError as error:
        found = find_data_error(error)
        if found is None:
            raise
        raise found from None
