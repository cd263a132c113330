"""What of some arrays fits a network and what does not, in words."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

_LISTED = 8  # names in a message before it says how many more


def listed(names: Iterable[str], separator: str = ", ") -> str:
    """A few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return separator.join(names[:_LISTED]) + more


def problems(
    variables: Mapping,
    matches: Mapping[str, str],
    arrays: Mapping[str, np.ndarray],
    unused: Sequence[str],
    allow_missing: bool = False,
    allow_unused: bool = False,
) -> list[str]:
    """A line for each kind of misfit, each naming some; none where all is well.

    Args:
        variables: of the network, by name. matches: {variable's name: array's name}.
        arrays: by name. unused: names of those that no variable wants.
        allow_missing, allow_unused: what is no misfit.
    """
    missing = [name for name in variables if name not in matches]
    misfits = _misfits(variables, matches, arrays)
    found = [listed(misfits.values(), "; ")] if misfits else []
    if not matches:
        found.append(f"no name fits: the network has {listed(variables)}")
    elif missing and not allow_missing:
        found.append(f"missing: {_described(variables, missing)}")
    if unused and (not allow_unused or not matches):
        found.append(f"not in the network: {listed(unused)}")
    if found and matches:
        found.insert(0, _fits(variables, [name for name in matches if name not in misfits]))
    return found


def _fits(variables: Mapping, fitting: Sequence[str]) -> str:
    """``fits: fpn 16 of 16, rpn_head 2 of 6``."""
    counts = {part: [0, 0] for part in dict.fromkeys(map(_part, variables))}
    for name in variables:
        counts[_part(name)][1] += 1
    for name in fitting:
        counts[_part(name)][0] += 1
    parts = (f"{part} {fit} of {of}".lstrip() for part, (fit, of) in counts.items())
    return f"fits: {', '.join(parts)}"


def _part(name: str) -> str:
    """``box_head`` of ``box_head/dense1/kernel``; none in a network that has no parts."""
    parts = name.split("/")
    return parts[0] if len(parts) > 2 else ""


def _misfits(variables: Mapping, matches: Mapping, arrays: Mapping) -> dict[str, str]:
    found = {}
    for name, key in matches.items():
        expected, got = tuple(variables[name].shape), np.shape(arrays[key])
        if expected != got:
            found[name] = f"{key} has shape {got}, expected {expected}"
        elif not np.all(np.isfinite(arrays[key])):
            found[name] = f"{key} holds values that are not finite"
    return found


def _described(variables: Mapping, names: Iterable[str]) -> str:
    return listed(f"{name} {tuple(variables[name].shape)}" for name in names)
