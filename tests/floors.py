"""Reads the imports of the package and says which stand on a wrong floor (see ARCHITECTURE.md).

Every import statement counts, wherever it stands: in a function, under ``TYPE_CHECKING``,
absolute or relative. So a module cannot dodge its floor by importing late.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "kmaskrcnn"
ROOT = Path(__file__).parent.parent / PACKAGE

# A module imports from the floors below its own, and from its own as long as that makes no circle.
FLOORS: dict[str, int] = {
    "versions": 0,
    "environment": 0,
    "installation": 0,
    "config": 0,
    "augmentation": 0,
    "field_types": 0,
    "byte_count": 0,
    "presets": 0,
    "reference_presets": 0,
    "classes": 0,
    "metrics": 0,
    "precision": 0,
    "memory": 1,
    "_version": 0,
    "files": 0,
    "locks": 0,
    "ops": 1,
    "pages": 1,
    "detections": 1,
    "structures": 1,
    "tensors": 1,
    "data": 2,
    "evaluation": 2,
    "weights": 2,
    "runs": 2,
    "provenance": 2,
    "layers": 3,
    "backbones": 3,
    "losses": 3,
    "blank": 3,
    "time_left": 3,
    "sgd": 3,
    "training": 3,
    "resuming": 3,
    "pace": 3,
    "parts": 3,
    "results": 3,
    "network": 4,
    "detector": 4,
    "tracing": 4,
    "checkpoint": 4,
    "pretrained": 4,
    "model_file": 3,
    "model": 4,
    "loading": 4,
    "export": 5,
    "report": 5,
    "rate_finder": 5,
    "doctor": 5,
    "benchmark": 5,
    "conversion": 5,
    "__main__": 6,
    "cli": 6,
    "commands": 6,
    "demo": 6,
    "progress": 6,
    "training_lines": 6,
    "training_progress": 6,
}
FRONT_DOOR = 5  # `import kmaskrcnn` itself: only the floors above may come in through it
# The lowest floor on which another package may be imported.
OUTSIDE: dict[str, int] = {"tensorflow": 1, "keras": 2, "click": 6}

Import = tuple[int, str]  # line, dotted name of what is imported


def module_name(path: Path, root: Path) -> str:
    """``…/kmaskrcnn/ops/boxes.py`` → ``kmaskrcnn.ops.boxes``; an ``__init__`` is its package."""
    parts = [root.name, *path.relative_to(root).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path) -> dict[str, Path]:
    """Every module below ``root``, by its dotted name."""
    return {module_name(path, root): path for path in sorted(root.rglob("*.py"))}


def imports(source: str, name: str, is_package: bool, known: set[str]) -> Iterator[Import]:
    """What the module ``name`` imports: its own package's modules in full, others as written."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                here = parts[: len(parts) - node.level + is_package]
                base = ".".join([*here, *([node.module] if node.module else [])])
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                yield node.lineno, deeper if deeper in known else base


def floor(name: str) -> int | None:
    """The floor of one of our modules; None when the table does not know it."""
    parts = name.split(".")
    return FRONT_DOOR if len(parts) == 1 else FLOORS.get(parts[1])


def wrong_imports(root: Path = ROOT) -> list[str]:
    """One sentence for each import that stands on a wrong floor, and for each circle."""
    known = modules(root)
    problems: list[str] = []
    edges: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        if name == root.name:
            continue  # the front door opens lazily onto everything
        here = floor(name)
        if here is None:
            problems.append(f"{name}: no floor; give it one in tests/floors.py and ARCHITECTURE.md")
            continue
        is_package = path.name == "__init__.py"
        for line, target in imports(path.read_text(), name, is_package, set(known)):
            outside = OUTSIDE.get(target.split(".")[0], 0)
            if target.split(".")[0] != root.name:
                if here < outside:
                    problems.append(
                        f"{path}:{line}: {target} from floor {here}, not below {outside}"
                    )
                continue
            edges[name].add(target)
            there = floor(target)
            if there is not None and there > here:
                problems.append(f"{path}:{line}: floor {here} imports {target} of floor {there}")
    return problems + circles(edges)


def circles(edges: dict[str, set[str]]) -> list[str]:
    """One sentence if there is a circle: what is left when the modules that import nothing go."""
    left = {name: targets & set(edges) - {name} for name, targets in edges.items()}
    while free := [name for name, targets in left.items() if not targets]:
        left = {
            name: targets - set(free) for name, targets in left.items() if name not in set(free)
        }
    return [f"a circle of imports runs through {', '.join(sorted(left))}"] if left else []
