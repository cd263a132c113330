"""Pages: nothing of anybody's becomes HTML, nothing is loaded, many figures stand on one."""

import base64
import re
from html.parser import HTMLParser

import cv2
import jinja2
import numpy as np
import pytest

from kmaskrcnn import pages
from kmaskrcnn.pages import rendering

EVIL = '<script>alert("x")</script> $\\frac{$ & "'


@pytest.fixture
def templates(monkeypatch, tmp_path):
    """Writes a template beside the package's own; gives what renders it."""
    loaders = [jinja2.FileSystemLoader(place) for place in (tmp_path, rendering.TEMPLATES)]
    monkeypatch.setattr(rendering._environment(), "loader", jinja2.ChoiceLoader(loaders))

    def write(body: str, **context) -> str:
        start = '{% extends "base.html" %}{% block title %}{{ name }}{% endblock %}{% block body %}'
        head = '{% import "parts.html" as parts %}'
        (tmp_path / "page.html").write_text(f"{start}{head}{body}{{% endblock %}}")
        rendering._environment().cache.clear()
        return pages.render("page.html", **{"name": "a page", **context})

    return write


class Tags(HTMLParser):
    """Names, attributes and text of a document; unclosed tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def bars(names, title="t"):
    figure = pages.new_figure(4, 2)
    axis = figure.subplots()
    axis.barh(range(len(names)), range(len(names)), color=pages.COLORS[0])
    axis.set_yticks(range(len(names)), names)
    axis.set_title(title)
    return figure


def test_names_are_text_and_never_html(templates):
    chart = pages.figure(bars(["a", EVIL], EVIL), EVIL)
    image = pages.picture(np.zeros((4, 4, 3), np.uint8), caption=EVIL, alt=EVIL)
    body = (
        "<h2 id='x'>{{ name }}</h2>{{ chart }}{{ parts.sheet([image]) }}"
        "{{ parts.table([name], [[name, 3]], name) }}{{ parts.places([name] * 5) }}"
        "{{ parts.facts([(name, name)]) }}"
    )
    text = templates(body, name=EVIL, chart=chart, image=image)
    assert text.count("&lt;script&gt;") >= 14 and "<script" not in text
    tags = Tags(text)
    assert not any(key.startswith("on") for _, attributes in tags.found for key in attributes)


def test_a_page_needs_nothing_beside_itself(templates):
    image = pages.picture(np.zeros((4, 4, 3), np.uint8))
    text = templates("{{ chart }}{{ image }}", chart=pages.figure(bars("ab")), image=image)
    policy = next(a for tag, a in Tags(text).found if a.get("http-equiv"))["content"]
    assert "default-src 'none'" in policy and "script" not in policy
    for _, attributes in Tags(text).found:
        for key in ("src", "href", "xlink:href"):
            assert attributes.get(key, "#").startswith(("#", "data:"))
    assert "@import" not in text and not re.search(r"url\((?!#)", text)


def test_headings_are_the_contents(templates):
    text = templates('<h2 id="one">First &amp; foremost</h2><h2>without</h2><h2 id="two">2</h2>')
    links = re.findall(r'<li><a href="#(\w+)">(.*)</a></li>', text)
    assert links == [("one", "First &amp; foremost"), ("two", "2")]


def test_what_the_context_lacks_is_an_error(templates):
    with pytest.raises(jinja2.UndefinedError, match="gone"):
        templates("{{ gone }}")


def test_many_figures_have_ids_of_their_own():
    both = pages.figure(bars("ab")) + pages.figure(bars("abc"))
    ids = re.findall(r'\bid="([^"]+)"', both)
    used = re.findall(r'(?:url\(#|href="#)([^")]+)', both)
    assert len(ids) == len(set(ids)) > 0 and set(used) == set(ids)
    assert pages.figure(bars("ab")) == pages.figure(bars("ab"))


def test_figures_take_the_colours_of_the_page():
    drawn = pages.figure(bars(["otter", "獺"]), "what is in it")
    assert "currentColor" in drawn and pages.INK not in drawn
    assert "fill: #ffffff" not in drawn and pages.COLORS[0] in drawn
    assert ">otter</text>" in drawn and "獺" in drawn and "<figcaption>what is in it<" in drawn


@pytest.mark.parametrize("size, shown", [((300, 900), (100, 300)), ((30, 20), (30, 20))])
def test_pictures_shrink_and_never_grow(size, shown):
    code = pages.picture(np.full((*size, 3), (200, 30, 90), np.uint8), max_side=300)
    data = base64.b64decode(re.search(r"base64,([^\"]+)", code)[1])
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape[:2] == shown
    assert np.abs(pixels[..., ::-1].astype(int) - (200, 30, 90)).max() < 9


def test_only_pictures_are_pictures():
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="uint8 RGB"):
            pages.picture(wrong)


def test_tables_have_numbers_to_the_right(templates):
    text = templates('{{ parts.table(["class", "objects"], [["otter", 12345]]) }}')
    assert '<td>otter</td><td class="number">12,345</td>' in text
