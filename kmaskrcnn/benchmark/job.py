"""What the two processes of a measurement tell each other, a line of JSON at a time."""

from __future__ import annotations

import dataclasses
import json
from typing import NamedTuple

from kmaskrcnn.benchmark.plan import Plan
from kmaskrcnn.field_types import tuples

OUT_OF_MEMORY = 77  # the exit code of a worker that held too much


class Job(NamedTuple):
    """The first line: what a worker is to do."""

    plan: Plan
    precision: str
    work: str
    memory_limit: float  # bytes; nan: none

    def to_json(self) -> str:
        """One line."""
        return json.dumps({**self._asdict(), "plan": dataclasses.asdict(self.plan)})

    @classmethod
    def from_json(cls, line: str) -> Job:
        """What `to_json` wrote."""
        given = json.loads(line)
        plan = {name: tuples(value) for name, value in given.pop("plan").items()}
        plan["fields"] = {name: tuples(value) for name, value in plan["fields"].items()}
        return cls(Plan(**plan), **given)


class Request(NamedTuple):
    """Each further line: how many images at a time, and how often.

    Args:
        images: at a time.
        most, least: runs that are timed after a first one; fewer than ``most`` when ``seconds``
            are over.
        seconds: for the timed ones together.
    """

    images: int
    most: int
    least: int
    seconds: float
