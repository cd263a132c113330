"""The page: every section of what there is, close-ups of what looks wrong, nobody's HTML."""

import re

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, Sample, inspect
from kmaskrcnn.data.inspection.objects import Problem
from kmaskrcnn.data.inspection.pictures import close_up
from tests.data.inspection.test_looking import image, square
from tests.data.samples import ListDataset, noise_image, write_image
from tests.pages.test_pages import Tags

EVIL = "<b>cat</b>"
STAR = np.array([[20, 5], [30, 40], [5, 18], [35, 18], [10, 40]], float)


def headings(text) -> list[str]:
    return re.findall(r'<h2 id="([\w-]+)">', text)


@pytest.fixture
def page(tmp_path):
    """Of two parts: a broken image, twins, a crossing outline, a leak, a class that is missing."""
    train = [
        image(80, 90, square(0, 9, number=1), square(0, 9, number=2), Instance(0, [STAR])),
        Sample(tmp_path / "gone.png", [square(0, 9)]),
        Sample(write_image(tmp_path / "<i>.png", 60, 60), [square(1, 30)]),
    ]
    held_out = [Sample(write_image(tmp_path / "copy.png", 60, 60), [square(0, 30), square(1, 40)])]
    found = inspect(
        ListDataset(train, (EVIL, "dog")), validation=ListDataset(held_out, (EVIL, "fox"))
    )
    found.save(tmp_path / "out" / "report.html")
    return (tmp_path / "out" / "report.html").read_text()


def test_every_section_is_there(page):
    assert headings(page) == [
        *("short", "samples", "classes", "images", "objects", "size", "anchors", "suspicious"),
        *("duplicates", "broken"),
    ]
    assert "trained and validated on" in page and "gone.png" in page
    assert "nothing to learn it from" in page and "not validated" in page
    assert (
        "twice: 1" in page
        and "box without a mask: 3" in page
        and "outline that crosses itself: 1" in page
    )
    assert page.count('<figure class="chart">') == 5
    assert page.count('<figure class="picture">') == 2 + 5 + 1  # samples, close-ups, the leak


def test_suggested_anchors_are_drawn_and_to_be_copied(tmp_path):
    small = [Instance(0, box=(x, 5, x + 6, 11)) for x in range(5, 85, 10)]
    found = inspect(ListDataset([image(100, 100, *small)]))
    for min_size, expected in ((100, True), (800, False)):
        config = found.config.replace(min_size=min_size)
        found = inspect(found.dataset, config=config)
        assert found.anchor_advice.worth_it == expected
        found.save(tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text()
        assert (">suggested</text>" in text) == ("anchor_sizes = [[" in text) == expected


def test_names_are_escaped(page):
    Tags(page)
    assert EVIL not in page and "<i>" not in page
    assert "&lt;b&gt;cat&lt;/b&gt;" in page and "&lt;i&gt;.png" in page


def test_a_page_of_nothing(tmp_path):
    """No usable image, or no objects: the sections that have something to say."""
    found = inspect(ListDataset([Sample(tmp_path / "gone.png", [square(0, 9)])]))
    found.save(tmp_path / "a.html")
    expected = ["short", "samples", "classes", "suspicious", "duplicates", "broken"]
    assert headings((tmp_path / "a.html").read_text()) == expected
    inspect(ListDataset([image(30, 30)])).save(tmp_path / "b.html")
    expected = ["short", "samples", "classes", "images", "suspicious", "duplicates"]
    assert headings((tmp_path / "b.html").read_text()) == expected


def problem(place) -> Problem:
    return Problem("tiny", "file", None, "", 0, place)


def test_a_close_up_shows_the_object_and_its_surroundings():
    pixels = np.full((200, 300, 3), 90, np.uint8)
    sample = Sample(pixels, [Instance(0, box=(100, 50, 120, 60))])
    shown = close_up(sample, problem(0), 240)
    assert shown.shape == (200, 240, 3)  # 20 pixels around 20 by 10, enlarged four times
    drawn = np.argwhere((shown != 90).any(axis=2))
    assert abs(drawn.min(0) - (80, 80)).max() <= 3 and abs(drawn.max(0) - (120, 160)).max() <= 3


@pytest.mark.parametrize(
    "instance",
    [
        Instance(0),
        Instance(0, box=(np.nan, 1, 2, 3)),
        Instance(0, [[[1, "x"]]]),
        Instance(0, {"size": [30, 30], "counts": [5]}),
        Instance(0, box=(1e300, 10, -1e300, 30)),
        Instance(0, [np.array([[1, 1], [-1e300, 5], [-9, 9]])]),
        Instance(0, box=(500, 500, 600, 600)),
        Instance(0, box=(10, 10, 10, 10)),
        Instance(0, np.zeros((40, 60), bool), box=(3, 3, 9, 9)),
        Instance(0, [STAR], box=(30, 2, 59, 38)),
    ],
)
def test_nothing_is_too_broken_to_be_drawn(instance):
    sample = Sample(noise_image(40, 60), [instance])
    assert close_up(sample, problem(0), 120).shape[1] <= 120
    found = inspect(ListDataset([sample]))
    assert found.problems or instance.mask is not None


def test_an_image_that_went_away_is_an_error(tmp_path):
    path = write_image(tmp_path / "a.png")
    found = inspect(ListDataset([Sample(path, [square(0, 9)])]))
    path.unlink()
    with pytest.raises(DataError, match="a.png"):
        found.save(tmp_path / "a.html")
