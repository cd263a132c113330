"""The rows of the tables: what is on top, what has a row, what is a dash."""

import math

from kmaskrcnn.evaluation import analyse, evaluate_coco
from kmaskrcnn.report import tables
from kmaskrcnn.report.heatmap import Confused
from tests.evaluation.cases import dataset_of, found, square

DATA = dataset_of([square(0, 0, 0), square(1, 40, 40)], [square(0, 0, 0)])
PREDICTIONS = [(0, found((0, 0.9, 0, 0), (0, 0.8, 60, 0))), (1, found((0, 0.7, 0, 0)))]
FIGURES = evaluate_coco(DATA, PREDICTIONS)
ANALYSIS = analyse(DATA, PREDICTIONS)


def test_what_cannot_be_measured_is_a_dash():
    assert tables.text(math.nan) == "–" and tables.text(0.12345) == "0.123"


def test_what_stands_on_top():
    told = dict((name, value) for value, name in tables.facts(FIGURES, ANALYSIS))
    assert told["mask AP"] == tables.text(FIGURES["mask/AP"])
    assert told["box AP"] == tables.text(FIGURES["box/AP"])
    assert told["mask AP50"] == tables.text(FIGURES["mask/AP50"])
    assert (told["images"], told["objects there"], told["objects found"]) == ("2", "3", "3")
    assert told["image quality"] == "0.750"


def test_the_rows_of_all_classes():
    header, rows = tables.overall(FIGURES)
    assert header == ["", "mask", "box"]
    assert rows[0] == ["AP", tables.text(FIGURES["mask/AP"]), tables.text(FIGURES["box/AP"])]
    assert not any("/" in row[0] for row in rows)


def test_a_row_a_class():
    header, rows = tables.classes(FIGURES, ANALYSIS)
    assert header[:5] == ["class", "objects there", "mask AP", "box AP", "AP50"]
    assert [row[:2] for row in rows] == [["deer", 2], ["otter", 1], ["tiger", 0]]
    assert rows[0][5:] == ["0.700", "0.667", "1.000", "0.800"]
    assert rows[2][2:5] == ["–", "–", "–"]


def test_counts_of_one_class_are_those_of_all():
    _, rows = tables.counts(ANALYSIS)
    assert rows[0] == ["all together", 2, 3, 3, "+0.00", "0.00", "0.00", "100 %"]
    assert rows[1] == ["deer", 2, 2, 3, "+0.50", "0.50", "0.71", "50 %"]
    assert rows[3] == ["tiger", 0, 0, 0, "–", "–", "–", "–"]
    one = dataset_of([square(0, 0, 0)])
    one.class_names = ("deer",)
    rows = tables.counts(analyse(one, [(0, found((0, 0.9, 0, 0), class_names=("deer",)))]))[1]
    assert [row[0] for row in rows] == ["deer"]


def test_shares_are_percent():
    assert tables.confused([Confused("deer", "otter", 3, 0.25)]) == [["deer", "otter", 3, "25.0 %"]]
