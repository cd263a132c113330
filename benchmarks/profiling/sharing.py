"""The time of a run, shared out: every moment goes to what runs in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.profiling.naming import (
    CONVOLUTIONS,
    OTHER,
    PASTING,
    PYTHON,
    WAITING,
    kind_of,
    part_of,
)
from benchmarks.profiling.trace import Operation, Trace

Shares = dict[str, dict[str, float]]  # part → kind → seconds
Bar = tuple[float, float, str]  # start and length in seconds, the part


def shares(trace: Trace, training: bool) -> Shares:
    """Seconds by part and kind, which add up to the whole run.

    A moment in which convolutions or products run is theirs: they take all cores, and would take
    this time if nothing else ran. Any other one is shared equally by the operations that run in
    it; without any it is Python's, or waiting for a thread of TensorFlow's between two operations.
    """
    found: Shares = defaultdict(lambda: defaultdict(float))
    for seconds, running, spans in _moments(trace):
        own = [(part_of(op.name, training), kind_of(op.type)) for op in running]
        owners = [pair for pair in own if pair[1] == CONVOLUTIONS] or own
        if PASTING in spans:
            owners = [(PASTING, kind) for _, kind in owners] or [(PASTING, PYTHON)]
        for part, kind in owners or [(OTHER, WAITING if "graph" in spans else PYTHON)]:
            found[part][kind] += seconds / max(1, len(owners))
    return {part: dict(kinds) for part, kinds in found.items()}


def _moments(trace: Trace) -> Iterator[tuple[float, list[Operation], set[str]]]:
    """Stretches in which nothing begins or ends: length, what runs, the spans around it.

    Of operations of one thread that lie in each other, the innermost runs.
    """
    marks = [(0.0, 2, None), (trace.seconds, 2, None)]
    for op in trace.operations:
        marks += [(op.start, 1, op), (op.end, 0, op)]
    for name, spans in trace.spans.items():
        for start, end in spans:
            marks += [(start, 1, name), (end, 0, name)]
    stacks: dict[str, list[Operation]] = defaultdict(list)
    around: set[str] = set()
    before = 0.0
    for at, opens, what in sorted(marks, key=lambda mark: mark[:2]):
        if at > before:
            yield at - before, [stack[-1] for stack in stacks.values() if stack], set(around)
            before = at
        if isinstance(what, Operation):
            (stacks[what.thread].append if opens else stacks[what.thread].remove)(what)
        elif what is not None:
            (around.add if opens else around.discard)(what)


def lanes(trace: Trace, training: bool, gap: float = 5e-4) -> dict[str, list[Bar]]:
    """What each thread did, for a picture: the busiest two of TensorFlow's, then Python's own.

    Args:
        trace, training: as for `shares`.
        gap: seconds; neighbours of one part that are no farther apart are drawn as one.
    """
    by_thread: dict[str, list[Operation]] = defaultdict(list)
    for op in trace.operations:
        by_thread[op.thread].append(op)
    pools = [ops for thread, ops in by_thread.items() if not thread.startswith("python")]
    pools.sort(key=lambda ops: -sum(op.end - op.start for op in ops))
    drawn = {
        f"thread {number}": _joined(
            ((op.start, op.end, part_of(op.name, training)) for op in ops), gap
        )
        for number, ops in enumerate(pools[:2], 1)
    }
    return {**drawn, "Python": _joined(_outside_graphs(trace), gap)}


def _outside_graphs(trace: Trace) -> Iterator[tuple[float, float, str]]:
    """The main thread's stretches in which no traced function runs: of pasting, or of the rest."""
    at = 0.0
    for seconds, _, spans in _moments(trace):
        if "graph" not in spans:
            yield at, at + seconds, PASTING if PASTING in spans else OTHER
        at += seconds


def _joined(stretches: Iterable[tuple[float, float, str]], gap: float) -> list[Bar]:
    """Neighbours of one part as one bar; those too short to be seen are left out."""
    bars: list[list] = []
    for start, end, part in stretches:
        if bars and bars[-1][2] == part and start - bars[-1][1] <= gap:
            bars[-1][1] = max(end, bars[-1][1])
        else:
            bars.append([start, end, part])
    return [
        (round(start, 5), round(end - start, 5), part)
        for start, end, part in bars
        if end - start > gap / 5
    ]


def slowest(operations: Sequence[Operation], count: int = 20) -> list[tuple[float, str, str]]:
    """Seconds, name and type of what took longest that is no convolution or product."""
    total: dict[tuple[str, str], float] = defaultdict(float)
    for op in operations:
        if kind_of(op.type) != CONVOLUTIONS:
            total[op.name, op.type] += op.end - op.start
    ranked = sorted(total.items(), key=lambda item: -item[1])[:count]
    return [(round(seconds, 5), *operation) for operation, seconds in ranked]
