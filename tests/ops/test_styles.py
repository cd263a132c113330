"""What is drawn of few objects and of a crowd, and the legend in its corner."""

import numpy as np
import pytest

from kmaskrcnn.ops import captions, styles
from tests.detections.some import of_masks, random_masks

FEW, CROWD = [0, 1] * 5, [0, 1] * 20


@pytest.mark.parametrize(
    "labels, given, expected",
    [
        (FEW, {}, ("instance", True, True, False)),
        ([0] * styles.MANY, {}, ("instance", True, True, False)),
        (CROWD, {}, ("class", False, False, True)),
        ([0] * (styles.MANY + 1), {}, ("instance", False, False, True)),
        (CROWD, {"has_masks": False}, ("class", True, False, True)),
        (CROWD, {"captions": True}, ("instance", False, True, False)),
        (CROWD, {"captions": False}, ("instance", False, False, False)),
        (CROWD, {"boxes": True, "color_by": "instance"}, ("instance", True, False, True)),
        (FEW, {"captions": "legend"}, ("class", True, False, True)),
        (FEW, {"captions": False, "boxes": False}, ("instance", False, False, False)),
        ([], {}, ("instance", True, True, False)),
    ],
)
def test_what_is_left_open_follows_the_number(labels, given, expected):
    assert styles.choose_style(labels, **{"has_masks": True} | given) == expected


@pytest.mark.parametrize("name", ["color_by", "boxes", "captions"])
def test_wrong_styles_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}: expected .*'auto', got 'score'"):
        styles.choose_style(FEW, has_masks=True, **{name: "score"})


def test_rows_of_a_legend():
    names = ["otter", "deer", "deer", "tiger", "deer", "otter"]
    expected = [(1, "deer: 3"), (0, "otter: 2"), (3, "tiger: 1")]
    assert styles.legend_rows(names, "class") == expected
    assert styles.legend_rows(names, "instance") == [(None, text) for _, text in expected]


def test_a_legend_goes_where_it_hides_least():
    image = np.full((200, 300, 3), 100, np.uint8)
    boxes = np.array([[0, 0, 290, 100], [0, 0, 100, 190]])
    rows = [((255, 0, 0), "deer: 3"), ((0, 0, 255), "otter: 2")]
    left, top, right, bottom = captions.draw_legend(image, boxes, rows, 8)
    assert (right, bottom) == (300, 200) and left > 150 and top > 100
    inside = image[top:bottom, left:right].reshape(-1, 3).tolist()
    assert [255, 0, 0] in inside and [0, 0, 255] in inside
    image[top:bottom, left:right] = 100
    assert (image == 100).all()


def test_a_legend_too_long_for_half_the_picture_counts_the_rest():
    image = np.zeros((100, 300, 3), np.uint8)
    rows = [(None, f"class {i}: 1") for i in range(40)]
    left, top, right, bottom = captions.draw_legend(image, np.zeros((0, 4)), rows, 6)
    assert (left, top) == (0, 0) and bottom <= 52
    assert captions.draw_legend(image, np.zeros((0, 4)), [], 6) is None
    assert captions.draw_legend(np.zeros((3, 4, 3), np.uint8), np.zeros((0, 4)), rows, 6)


def test_a_crowd_is_drawn_with_a_legend_and_without_boxes():
    masks = random_masks(60, (200, 300), side=20)
    found = of_masks(masks, image=np.full((200, 300, 3), 90, np.uint8))
    crowd = found.draw()
    assert np.array_equal(crowd, found.draw(captions="legend", boxes=False, color_by="class"))
    assert not np.array_equal(crowd, found.draw(captions=True))
    assert not np.array_equal(crowd, found.draw(boxes=True))
    few = found[:20]
    assert np.array_equal(few.draw(), few.draw(captions=True, boxes=True, color_by="instance"))
