"""How big the files and functions are: ``python -m tests.house``.

A line of a file is any line; the lines of a function run from its ``def`` to its end, without the
docstring, so that nobody saves on documentation to keep a function short.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from tests.floors import ROOT


@dataclass(frozen=True)
class Size:
    """Where something stands and how many lines it takes."""

    place: str
    lines: int


def file_sizes(root: Path = ROOT) -> list[Size]:
    """Lines of each module of the package; an ``__init__`` that is empty is no file to read."""
    sizes = [
        Size(str(p.relative_to(root.parent)), len(p.read_text().splitlines()))
        for p in sources(root)
    ]
    return [size for size in sizes if size.lines]


def function_sizes(root: Path = ROOT) -> list[Size]:
    """Lines of each function and method of the package."""
    sizes = []
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                place = f"{path.relative_to(root.parent)}:{node.lineno} {node.name}"
                sizes.append(Size(place, function_lines(node)))
    return sizes


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From ``def`` to the end, less the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def sources(root: Path) -> list[Path]:
    """Every Python file of the package."""
    return sorted(root.rglob("*.py"))


def percentile(sizes: list[Size], share: float) -> int:
    """The smallest size that at least ``share`` of them do not exceed; 0 of nothing."""
    ordered = sorted(size.lines for size in sizes)
    return ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)] if ordered else 0


def report(name: str, sizes: list[Size]) -> str:
    """One line: count, median, 95th percentile, the longest."""
    longest = max(sizes, key=lambda size: size.lines)
    return (
        f"{name:<10} {len(sizes):>4}   median {percentile(sizes, 0.5):>4}   "
        f"95 % {percentile(sizes, 0.95):>4}   longest {longest.lines:>4}  {longest.place}"
    )


if __name__ == "__main__":
    print(report("files", file_sizes()))
    print(report("functions", function_sizes()))
