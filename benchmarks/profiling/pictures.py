"""Profiles as pictures: bars by kind of work, and a timeline coloured by part of the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.profiling import naming
from benchmarks.profiling.table import LIMIT, TITLES, Profile, by_kind

INK, FAINT = "#22303c", "#8a97a3"
KIND_COLOURS = {
    naming.CONVOLUTIONS: "#33658a",
    naming.ELEMENTWISE: "#f6ae2d",
    naming.COPIES: "#f26419",
    naming.RESAMPLING: "#7fb069",
    naming.SELECTION: "#b5446e",
    naming.PYTHON: "#6d597a",
    naming.WAITING: "#c9d1d8",
}
PART_COLOURS = {
    naming.BODY: "#33658a",
    naming.PYRAMID: "#55b3c9",
    naming.RPN: "#f6ae2d",
    naming.PROPOSALS: "#b5446e",
    naming.POOLING: "#7fb069",
    naming.BOXES: "#f26419",
    naming.MASKS: "#8d6cab",
    naming.PASTING: "#e8a0bf",
    naming.LOSSES: "#a47148",
    naming.OPTIMIZER: "#5c6b73",
    naming.OTHER: "#c9d1d8",
}
LEGEND = {
    "loc": "outside upper center",
    "ncols": 6,
    "frameon": False,
    "handlelength": 1.0,
    "handleheight": 1.0,
    "labelcolor": INK,
    "columnspacing": 1.5,
}
PADS = {"w_pad": 0.12, "h_pad": 0.08}  # inches


def draw_kinds(cases: Mapping[str, Mapping[str, Profile]], path: Path) -> None:
    """Stacked bars, a panel a case: each profile by kinds of work, the limit below.

    Args:
        cases: case → profiles by their names.
        path: of the PNG.
    """
    heights = [len(profiles) for profiles in cases.values()]
    figure = Figure(figsize=(9, 1.0 + sum(0.42 * height + 0.75 for height in heights)), dpi=150)
    panels = figure.subplots(len(cases), squeeze=False, height_ratios=[h + 0.6 for h in heights])
    for axes, (case, profiles) in zip(panels[:, 0], cases.items(), strict=True):
        _bars(axes, profiles)
        _headed(axes, TITLES[case])
    panels[-1, 0].set_xlabel("seconds", color=INK)
    figure.legend(
        handles=[_patch(colour) for colour in KIND_COLOURS.values()],
        labels=list(KIND_COLOURS),
        **{**LEGEND, "ncols": 4},
    )
    figure.set_layout_engine("constrained", **PADS)
    figure.savefig(path)


def _bars(axes: Axes, profiles: Mapping[str, Profile]) -> None:
    longest = max(profile["seconds"] for profile in profiles.values())
    bare = profiles[LIMIT]["seconds"] if LIMIT in profiles else None
    for row, profile in enumerate(profiles.values()):
        left = 0.0
        for kind, seconds in by_kind(profile).items():
            axes.barh(row, seconds, left=left, color=KIND_COLOURS[kind], height=0.72)
            left += seconds
        over = f"  {left:.2f} s" + (f", {left / bare:.2f} ×" if bare else "")
        axes.text(left, row, over, va="center", color=INK)
    if bare:
        axes.axvline(bare, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(profiles)), list(profiles))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * longest)


def draw_timeline(profiles: Mapping[str, Profile], title: str, path: Path) -> None:
    """What each thread did, a panel a profile, all on one scale.

    Args:
        profiles: of one case, by their names.
        title: above all panels.
        path: of the PNG.
    """
    count = max(len(_busy(profile)) for profile in profiles.values())
    figure = Figure(figsize=(11, 1.1 + (0.65 + 0.4 * count) * len(profiles)), dpi=150)
    panels = figure.subplots(len(profiles), sharex=True, squeeze=False)
    longest = max(profile["seconds"] for profile in profiles.values())
    for axes, (name, profile) in zip(panels[:, 0], profiles.items(), strict=True):
        _lanes(axes, profile)
        _headed(axes, f"{name}: {profile['seconds']:.2f} s")
        axes.set_xlim(0, 1.01 * longest)
    panels[-1, 0].set_xlabel("seconds", color=INK)
    parts = [part for part in PART_COLOURS if _appears(part, profiles)]
    figure.legend(
        handles=[_patch(PART_COLOURS[part]) for part in parts],
        labels=parts,
        title=title,
        **LEGEND,
    )
    figure.set_layout_engine("constrained", **PADS)
    figure.savefig(path)


def _lanes(axes: Axes, profile: Profile) -> None:
    busy = _busy(profile)
    for row, bars in enumerate(busy.values()):
        for part, colour in PART_COLOURS.items():
            own = [(start, length) for start, length, its in bars if its == part]
            axes.broken_barh(own, (row - 0.38, 0.76), facecolors=colour)
    axes.axvline(profile["seconds"], color=INK, linewidth=1)
    axes.set_yticks(range(len(busy)), list(busy))
    axes.set_ylim(len(busy) - 0.5, -0.5)


def _busy(profile: Profile) -> dict[str, list]:
    """The threads that have something to draw, and what; a blink is none."""
    least = 0.004 * profile["seconds"]
    lanes = profile["lanes"].items()
    return {name: bars for name, bars in lanes if sum(bar[1] for bar in bars) > least}


def _appears(part: str, profiles: Mapping[str, Profile]) -> bool:
    bars = (
        bar for profile in profiles.values() for lane in profile["lanes"].values() for bar in lane
    )
    return any(its == part for _, _, its in bars)


def _headed(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", color=INK, fontsize=10, fontweight="bold")
    axes.tick_params(colors=INK, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.grid(axis="x", color="#e5e9ed", linewidth=0.8)
    axes.set_axisbelow(True)


def _patch(colour: str):
    from matplotlib.patches import Patch

    return Patch(color=colour)
