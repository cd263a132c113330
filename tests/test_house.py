"""The house stays small: limits on the lines of a file and of a function."""

import ast

from tests.house import Size, file_sizes, function_lines, function_sizes, percentile, report

LONGEST_FILE = 350
LONGEST_FUNCTION = 60
MEDIAN_FILE = 150
MEDIAN_FUNCTION = 12
FUNCTIONS_BELOW_50 = 0.95


def test_files_are_short():
    sizes = file_sizes()
    print(report("files", sizes))
    assert [size for size in sizes if size.lines > LONGEST_FILE] == []
    assert percentile(sizes, 0.5) <= MEDIAN_FILE


def test_functions_are_short():
    sizes = function_sizes()
    print(report("functions", sizes))
    assert [size for size in sizes if size.lines > LONGEST_FUNCTION] == []
    assert percentile(sizes, FUNCTIONS_BELOW_50) < 50
    assert percentile(sizes, 0.5) <= MEDIAN_FUNCTION


def test_a_docstring_costs_nothing():
    node = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n').body[
        0
    ]
    assert function_lines(node) == 3


def test_percentiles():
    sizes = [Size("", lines) for lines in range(1, 101)]
    assert percentile(sizes, 0.5) == 50
    assert percentile(sizes, 0.95) == 95
    assert percentile(sizes[:1], 0.95) == 1
    assert percentile([], 0.5) == 0
