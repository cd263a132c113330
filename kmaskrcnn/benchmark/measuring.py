"""Everything of a plan, one process after the other, within its time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from kmaskrcnn.benchmark.child import MEMORY, TIME, EndedError, Worker
from kmaskrcnn.benchmark.job import Job, Request
from kmaskrcnn.benchmark.plan import SHARE_OF_MEMORY, WORK, Plan
from kmaskrcnn.benchmark.search import next_size
from kmaskrcnn.benchmark.series import Batch, Benchmark, Series
from kmaskrcnn.doctor import machine

TIMED = 9  # runs of a batch
SPEED_SHARE = 0.12  # of a series' time, for the runs of one batch
WEIGHTS = {"predict": 1.0, "train": 2.0}  # of the time: a training's graph takes longer to build
Told = Callable[[Series, int], None]


def measure(plan: Plan, tell: Told = lambda series, images: None) -> Benchmark:
    """Speed and largest batch of each kind of work at each precision.

    Args:
        plan: what, and how long.
        tell: hears which series is at work, and at how many images; 0 where it begins or is over.

    Returns:
        The series in the plan's order. What there was no time for, or what a device cannot do,
        says so in its ``problem``.
    """
    limit = plan.memory_limit or SHARE_OF_MEMORY * machine.available_memory()
    jobs = [Job(plan, precision, work, limit) for precision in plan.precisions for work in WORK]
    end = time.monotonic() + plan.time_limit
    found: list[Measurement] = []
    for number, job in enumerate(jobs):
        left = sum(WEIGHTS[other.work] for other in jobs[number:])
        share = (end - time.monotonic()) * WEIGHTS[job.work] / left
        deadline = time.monotonic() + share if plan.search else end  # a search takes what it gets
        found.append(Measurement(job, share, deadline, tell))
        found[-1].run()
    facts = {**machine.machine(), "memory_limit": limit}
    for measurement in found:
        facts.update(measurement.facts)
    return Benchmark(plan, facts, [measurement.series for measurement in found])


class Measurement:
    """One series.

    Args:
        job: what is measured.
        share: seconds that it ought to take. deadline: `time.monotonic` by which it is over.
        tell: see `measure`.
    """

    def __init__(self, job: Job, share: float, deadline: float, tell: Told) -> None:
        self.job, self.share, self.deadline, self.tell = job, share, deadline, tell
        self.begin = time.monotonic()
        self.facts: dict[str, Any] = {}
        self.series = Series(job.precision, job.work, job.memory_limit)
        self._worker: Worker | None = None
        self._start_seconds = 0.0

    def run(self) -> None:
        """Until everything is known or the time is over."""
        self.tell(self.series, 0)
        try:
            self._speeds()
            if self.job.plan.search:
                self._largest()
        except EndedError as end:
            self.series.problem = self._problem(end)
        finally:
            if self._worker is not None:
                self._worker.end()
        self.series.over = True
        self.tell(self.series, 0)

    def _speeds(self) -> None:
        seconds = SPEED_SHARE * self.share
        for images in self.job.plan.batch_sizes:
            if not self._has_time(images, runs=2):
                return
            if not self._try(Request(images, TIMED, 1, seconds)):
                return

    def _largest(self) -> None:
        series = self.series
        while (images := next_size(series.peaks, series.failed, series.limit)) is not None:
            if not self._has_time(images):
                return
            self._try(Request(images, 0, 0, 0.0))
        series.searched = True

    def _try(self, request: Request) -> bool:
        """Whether so many images fit."""
        self.tell(self.series, request.images)
        try:
            answer = self._running().ask(request, self.deadline)
        except EndedError as end:
            self._worker = None
            if end.why != MEMORY:
                raise
            answer = {"out_of_memory": True}
        if "out_of_memory" in answer:
            self.series.failed = request.images
            return False
        self.series.batches.append(Batch(**{**answer, "seconds": tuple(answer["seconds"])}))
        return True

    def _running(self) -> Worker:
        if self._worker is None:
            begin = time.monotonic()
            self._worker = Worker(self.job, self.deadline)
            self._start_seconds = time.monotonic() - begin
            self.facts = self._worker.facts
            if any(device.startswith("GPU") for device in self.facts["devices"]):
                self.series.limit = math.nan
        return self._worker

    def _has_time(self, images: int, runs: int = 1) -> bool:
        """Whether a run will be over before the deadline, as far as those before tell."""
        if not self.series.batches:
            return True
        last = self.series.batches[-1]
        seconds = runs * images / last.images * min(last.seconds, default=last.first)
        if self._worker is None:  # it starts anew, and builds its graph again
            seconds += self._start_seconds + self.series.batches[0].first
        return time.monotonic() + seconds < self.deadline

    def _problem(self, end: EndedError) -> str:
        if end.why == TIME:
            seconds = time.monotonic() - self.begin
            what = f"not done within {seconds:.0f} s" if seconds >= 1 else "no time was left"
            return f"{what}; --time-limit gives more"
        return str(end)
