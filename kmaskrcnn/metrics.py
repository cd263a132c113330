"""The names of what detections are measured by; `kmaskrcnn.evaluation` counts them."""

from __future__ import annotations

from collections.abc import Sequence

METRICS = ("coco", "lvis", "voc", "boundary", "cityscapes", "counts")


def checked_metrics(metrics: Sequence[str]) -> tuple[str, ...]:
    """Names of `METRICS`, each once.

    Raises:
        ValueError: another name, or none; says which there are.
    """
    if isinstance(metrics, str) or not metrics or not set(metrics) <= set(METRICS):
        raise ValueError(f"metrics: expected some of {METRICS}, got {metrics!r}")
    return tuple(dict.fromkeys(metrics))
