"""A model in the precision that was asked for, and a word where the machine is slow at it."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

import kmaskrcnn
from kmaskrcnn import precision
from kmaskrcnn.progress import console


def model_of(path: Path, asked: str | None) -> kmaskrcnn.MaskRCNN:
    """A model's file to predict with; None leaves it as it was trained."""
    return kmaskrcnn.load(path, optimizer=False, dtype=policy_here(asked))


def policy_here(asked: str | None) -> str | None:
    """Keras' policy of a precision; says so if the processor has to imitate it."""
    if asked in precision.INSTRUCTIONS and not tf.config.list_physical_devices("GPU"):
        if precision.instructions(asked) == ():
            console.print(f"This processor has no instructions for {asked}: float32 is faster.")
    return precision.policy(asked)
