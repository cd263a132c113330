"""A diagnosis as lines for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from kmaskrcnn import versions
from kmaskrcnn.doctor.child import Outcome
from kmaskrcnn.doctor.diagnosis import Diagnosis

GOOD, WORTH_A_LOOK, BAD = "✓", "!", "✗"
MARKS = {versions.FITS: GOOD, versions.NEWER: WORTH_A_LOOK, versions.UNKNOWN: WORTH_A_LOOK}
LABEL = 14  # columns


def lines(facts: Diagnosis) -> list[str]:
    """The whole report; problems and notes come last, where they are seen."""
    return [
        f"kmaskrcnn {facts['kmaskrcnn']}, {facts['folder']}",
        *about_machine(facts),
        "",
        *table(facts),
        "",
        *about_work(facts),
        "",
        *conclusion(facts),
    ]


def about_machine(facts: Diagnosis) -> Iterator[str]:
    """System, processors, memory, the instructions of 16 bits where the system tells."""
    here = facts["machine"]
    memory = f", {here['memory_gib']} GiB of memory" if here["memory_gib"] else ""
    yield f"{here['system']}, {here['cpus']} CPUs{memory}"
    for precision, names in here["instructions"].items():
        if names is not None:
            how = f"by {' and '.join(names)}" if names else "not in hardware: float32 is faster"
            yield labelled(precision, how)


def table(facts: Diagnosis) -> Iterator[str]:
    """Python and the packages: a mark, name, version, what is supported; optional ones below."""
    rows = [facts["python"], *facts["packages"]]
    width = max(len(row["name"]) for row in rows)
    found = max(len(row["version"] or "") for row in rows)
    for row in rows:
        mark = MARKS.get(row["verdict"], BAD)
        comment = "" if mark == GOOD else row["verdict"]
        left = f"{mark} {row['name']:{width}}  {row['version'] or '–':{found}}"
        yield f"{left}  {row['supported']:15} {comment}".rstrip()
    for row in facts["optional"]:
        there = row["version"] or ("there" if row["verdict"] == versions.UNKNOWN else "–")
        how = "" if row["verdict"] in MARKS else f": {row['install']}"
        yield f"  {row['name']:{width}}  {there:{found}}  optional, for {row['for']}{how}"


def about_work(facts: Diagnosis) -> Iterator[str]:
    """Devices, the op, the compiler, the cache, the environment, the proof."""
    devices: Outcome = facts["devices"]
    yield labelled("devices", ", ".join(devices["result"]) if "result" in devices else devices)
    for gpu in facts["gpus_of_the_driver"]:
        yield labelled("driver", gpu)
    yield labelled("RoIAlign", facts["roi_align"])
    yield labelled("compiler", facts["compiler"])
    cache = facts["cache"]
    state = "cannot be written to" if cache["cannot_write"] else f"{cache['mib'] or 0} MiB in it"
    yield labelled("cache", f"{cache['folder']}: {state}, {cache['free_gib']} GiB free")
    for name, value in facts["environment"].items():
        yield labelled("environment", f"{name}={value}")
    yield labelled("forward pass", facts["forward"], with_seconds=True)


def labelled(label: str, content: Any, with_seconds: bool = False) -> str:
    """``label   content``, of a step its result, its error, or why there is none."""
    if isinstance(content, dict):
        seconds = f", {content['seconds']:.1f} s" if with_seconds and "seconds" in content else ""
        text = content.get("result") or content.get("error") or content.get("skipped")
        content = f"{first_line(str(text))}{seconds}"
    return f"{label:{LABEL}}{content}"


def first_line(text: str) -> str:
    """What fits beside a label: the conclusion has the rest."""
    return textwrap.shorten(text.splitlines()[0], 160, placeholder=" …")


def conclusion(facts: Diagnosis) -> Iterator[str]:
    """What to mend and what to know, or that all is well."""
    for mark, kind in ((BAD, "problems"), (WORTH_A_LOOK, "notes")):
        for text in facts[kind]:
            yield f"{mark} {text}"
    count = len(facts["problems"])
    if count:
        yield f"{count} to mend."
    elif "result" in facts["forward"]:
        yield f"{GOOD} Everything that is needed is here, and it works."
    else:
        yield f"{GOOD} Everything that is needed is here; whether it works was not tried."
