"""docs/users.md answers every row of both lists, and every test that it names exists."""

import ast
import re
from functools import cache

import pytest

from tests.floors import ROOT

HERE = ROOT.parent
TEXT = (HERE / "docs" / "users.md").read_text()
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
WITHOUT_A_TEST = {"20"}  # what is not there yet


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of each row of the table below a heading, by the first one."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    table = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {cells[0]: cells[1:] for cells in table}


@cache
def functions(path: str) -> set[str]:
    """The names of the functions of a test file."""
    tree = ast.parse((HERE / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_there():
    assert list(rows("Mishaps")) == [str(number) for number in range(1, 27)]
    assert list(rows("Bad input")) == list("abcdefg")


@pytest.mark.parametrize("heading", ["Mishaps", "Bad input"])
def test_every_row_is_answered_and_tested(heading):
    for name, cells in rows(heading).items():
        assert len(cells) == 4 and all(cells), f"row {name}: {len(cells)} cells"
        assert TEST.search(cells[-1]) or name in WITHOUT_A_TEST, f"row {name} names no test"
        assert not TEST.sub("", cells[-1]).strip(" –"), f"row {name}: what is beside the tests?"


def test_every_test_exists():
    named = TEST.findall(TEXT)
    assert len(named) > 50
    gone = [f"{path}::{name}" for path, name in named if not exists(path, name)]
    assert gone == []


def exists(path: str, name: str) -> bool:
    return (HERE / path).is_file() and name in functions(path)


def test_every_place_exists():
    """The files of the column `where`: inside the package, or of the repository."""
    named = {
        place
        for table in ("Mishaps", "Bad input")
        for cells in rows(table).values()
        for place in re.findall(r"`([\w/]+(?:\.\w+|/))`", cells[-2])
    }
    assert len(named) > 25
    assert [p for p in sorted(named) if not ((ROOT / p).exists() or (HERE / p).exists())] == []
