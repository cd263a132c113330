"""What TensorFlow's profiler wrote of one run: which operation ran when, in which thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PICO = 1e-12
GRAPH = "EagerLocalExecute: __inference"  # how a call of a traced function begins


class Operation(NamedTuple):
    """One call of a kernel: seconds from the run's beginning, its thread, name and type."""

    start: float
    end: float
    thread: str
    name: str
    type: str


class Trace(NamedTuple):
    """One run: its seconds, its operations by their start, and spans of the main thread by name.

    The span "graph" is there whenever a traced function is called.
    """

    seconds: float
    operations: list[Operation]
    spans: dict[str, list[tuple[float, float]]]


def read(folder: Path, whole: str, *names: str) -> Trace:
    """The run under the span ``whole``.

    Args:
        folder: that `tf.profiler.experimental.start` was given.
        whole, names: spans that were marked with `tf.profiler.experimental.Trace`.

    Raises:
        RuntimeError: a TensorFlow that keeps its profiles in another way.
    """
    events = [*_events(next(folder.rglob("*.xplane.pb")))]
    begin, end = next((e[:2] for e in events if e[3] == whole), (0.0, 0.0))
    if begin == end:
        raise RuntimeError(f"The profile holds no span {whole!r}: it cannot be read.")
    texts = {"graph": GRAPH, **{name: name for name in names}}
    operations = [
        Operation(start - begin, stop - begin, thread, *text.rsplit(":", 1))
        for start, stop, thread, text in events
        if start >= begin and stop <= end and _is_operation(text)
    ]
    spans = {
        name: [(e[0] - begin, e[1] - begin) for e in events if e[3].startswith(text)]
        for name, text in texts.items()
    }
    return Trace(end - begin, sorted(operations), spans)


def _is_operation(text: str) -> bool:
    """Kernels stand as ``name:Type``, other events as ``Class::Method`` or ``What: of what``."""
    return ":" in text and "::" not in text and ": " not in text


def _events(file: Path) -> Iterator[tuple[float, float, str, str]]:
    """Start and end in seconds, thread and text of all that was recorded in the processor."""
    try:
        from tensorflow.tsl.profiler.protobuf import xplane_pb2
    except ImportError as error:
        raise RuntimeError(
            "This TensorFlow has no tensorflow.tsl.profiler.protobuf.xplane_pb2, by which 2.18 to "
            "2.21 let their profiles be read: run this in one of them."
        ) from error
    space = xplane_pb2.XSpace.FromString(file.read_bytes())
    for plane in space.planes:
        if not plane.name.startswith("/host:CPU"):
            continue
        for line in plane.lines:
            thread = f"{line.name.split('/')[0]} {line.id}"
            for event in line.events:
                start = line.timestamp_ns * 1e-9 + event.offset_ps * PICO
                text = plane.event_metadata[event.metadata_id].name
                yield start, start + event.duration_ps * PICO, thread, text.split("#")[0]
