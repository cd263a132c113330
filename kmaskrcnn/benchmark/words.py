"""Figures of a benchmark as text: for the table, and under the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

from kmaskrcnn.benchmark.plan import SHARE_OF_MEMORY
from kmaskrcnn.benchmark.search import MOST
from kmaskrcnn.benchmark.series import Batch, Benchmark, Series
from kmaskrcnn.doctor.machine import GIB
from kmaskrcnn.precision import INSTRUCTIONS, instructions


def title(found: Benchmark) -> str:
    """``laptop, images of 128×170, on Intel(R) Xeon(R) Processor, 2 CPUs``."""
    height, width = found.plan.photograph
    return f"{found.plan.preset}, images of {height}×{width}, on {device(found)}"


def device(found: Benchmark) -> str:
    """The GPUs, or else the processor."""
    gpus = [name for name in found.machine.get("devices", ()) if name.startswith("GPU")]
    return ", ".join(gpus) or f"{found.machine['processor']}, {found.machine['cpus']} CPUs"


def seconds(batch: Batch | None) -> str:
    """``"518 ms"``, ``"2.13 s"``: the median."""
    return "–" if batch is None else duration(batch.median)


def range_of(batch: Batch) -> str:
    """``"505 ms – 540 ms"``."""
    low, high = min(batch.seconds), max(batch.seconds)
    if len(batch.seconds) == 1:
        return "one run"
    return f"{duration(low)} – {duration(high)}"


def duration(value: float) -> str:
    """Three digits, in milliseconds below a second."""
    return f"{1000 * value:.3g} ms" if value < 0.9995 else f"{value:.3g} s"


def speed(batch: Batch | None) -> str:
    """``"2.31 (4)"``: images a second, and how many at a time."""
    if batch is None:
        return "–"
    return f"{batch.images_per_second:.3g} ({batch.images})"


def largest(series: Series) -> str:
    """``"12"``; ``"≥ 8, about 11"`` where there was no time to find it."""
    if series.fits >= MOST:
        return f"{MOST} and more"
    if not series.fits:
        return "none" if series.failed else "–"
    if series.searched:
        return f"{series.fits}"
    if series.failed:
        return f"{series.fits} – {series.failed - 1}"
    if math.isnan(series.outlook) or series.outlook < series.fits + 1:
        return f"≥ {series.fits}"
    return f"≥ {series.fits}, about {series.outlook:.0f}"


def notes(found: Benchmark) -> Iterator[str]:
    """What has to be known about the figures."""
    yield from _about_the_work(found)
    yield from _about_the_limits(found)
    for series in found.series:
        if series.problem:
            yield f"{series.precision}, {series.work}: {series.problem}."
    if not any(name.startswith("GPU") for name in found.machine.get("devices", ())):
        yield from missing_instructions(found.plan.precisions)


def missing_instructions(precisions: tuple[str, ...]) -> Iterator[str]:
    """A sentence for each precision that this processor has to imitate."""
    for precision in precisions:
        if precision in INSTRUCTIONS and instructions(precision) == ():
            yield (
                f"{precision}: this processor has no instructions for it, so that it is slow here "
                "or does not run."
            )


def _about_the_work(found: Benchmark) -> Iterator[str]:
    predicted = [b for s in found.series if s.work == "predict" for b in s.batches]
    trained = [b for s in found.series if s.work == "train" for b in s.batches]
    if predicted or trained:
        yield "In brackets: images at a time, of those measured the fastest."
    if predicted:
        yield (
            f"Predicting: from arrays in memory to the full-size masks of {predicted[0].objects} "
            "objects an image; all are kept, whatever their score, as the weights are random."
        )
    if trained:
        yield (
            f"Training: forward, backward and the optimizer's step, {trained[0].objects} objects "
            "an image; nothing is read from a disk."
        )
    roi_align = str(found.machine.get("roi_align", ""))
    if "build-op" in roi_align:
        yield f"RoIAlign runs on {roi_align}"


def _about_the_limits(found: Benchmark) -> Iterator[str]:
    series = found.series
    if not found.plan.search:
        yield "The largest batch was not looked for."
        return
    limit = found.machine["memory_limit"]
    if any(not math.isnan(s.limit) for s in series):
        share = (
            "" if found.plan.memory_limit else f", {100 * SHARE_OF_MEMORY:.0f} % of what is free"
        )
        yield f"Largest batch: a process may hold {limit / GIB:.1f} GiB{share}."
    if any(s.batches and not s.searched for s in series):
        yield (
            "≥: so many fit, and there was no time to try more (--time-limit gives it). About: "
            "what the growth of memory promises."
        )
