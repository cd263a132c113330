"""Classes of two parts, matched by name."""

from kmaskrcnn.data.inspection.comparison import compare_classes


def test_every_case_of_a_class():
    train = (("cat", "dog", "fox", "owl"), (5, 0, 3, 0), (4, 0, 2, 0))
    held_out = (("fox", "cat", "owl", "elk"), (0, 2, 0, 1), (0, 2, 0, 1))
    rows = compare_classes(train, held_out)
    assert [tuple(row) for row in rows] == [
        ("cat", 5, 4, 2, 2),
        ("dog", 0, 0, None, None),
        ("fox", 3, 2, 0, 0),
        ("owl", 0, 0, 0, 0),
        ("elk", None, None, 1, 1),
    ]
    assert [row.remark for row in rows] == [
        "",
        "no object at all",
        "not validated",
        "no object at all",
        "nothing to learn it from",
    ]
