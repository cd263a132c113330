"""Networks whose weights are about to be read: no random numbers are drawn for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import keras

_RANDOM = (keras.initializers.VarianceScaling, keras.initializers.RandomNormal)
_ONE_AT_A_TIME = threading.RLock()  # Keras' classes are the process's


@contextmanager
def blank() -> Iterator[None]:
    """The kernels of what this thread makes inside are zeros.

    Drawing the 44 million numbers of a R50-FPN takes a second, and the process keeps the memory
    that they are scaled in, 110 MB. Only for networks that are given all their weights, or dropped.
    """
    with _ONE_AT_A_TIME, ExitStack() as stack:
        for kind in _RANDOM:
            stack.enter_context(patch.object(kind, "__call__", _zeros_for(kind.__call__)))
        yield


def _zeros_for(draw: Any) -> Any:
    maker = threading.get_ident()

    def call(self, shape, dtype=None, **options):
        if threading.get_ident() != maker:
            return draw(self, shape, dtype, **options)
        return keras.ops.zeros(shape, dtype)

    return call
