"""Numbers of bytes as a person types them."""

from __future__ import annotations

import re

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def byte_count(size: int | str) -> int:
    """A number of bytes, also as text: ``"2GB"``, ``"500 MB"``, ``"0"``; 1 MB is 10⁶ bytes.

    Raises:
        ValueError: anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", str(size).strip().upper())
    if found is None or (found[2] not in UNITS and found[2] + "B" not in UNITS):
        raise ValueError(f"{size!r}: expected a number of bytes, such as 2GB, 500MB or 0.")
    unit = UNITS[found[2]] if found[2] in UNITS else UNITS[found[2] + "B"]
    return int(float(found[1]) * unit)
