"""Sheets of truth and predictions: their layout, and that what they show lies where it should."""

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import Instance, Sample, ShapesDataset
from kmaskrcnn.evaluation import draw_sample, prediction_sheet, showcase
from kmaskrcnn.structures import Detections


def grey(height, width, instances=()):
    return Sample(np.full((height, width, 3), 90, np.uint8), instances, 1, (height, width))


def changed(picture):
    return (picture != 90).any(axis=2)


@pytest.mark.parametrize("scale", [1, 3])
def test_truth_lies_where_its_mask_is(scale):
    mask = np.zeros((60, 100), bool)
    mask[20:50, 30:70] = True
    sample = grey(60, 100, [Instance(0, mask)])
    picture = draw_sample(sample, ["deer"], long_side=100 * scale)
    assert picture.shape == (60 * scale, 100 * scale, 3)
    assert changed(picture)[26 * scale : 46 * scale, 35 * scale : 65 * scale].all()
    assert not changed(picture)[:, : 28 * scale].any()
    assert not changed(picture)[53 * scale :].any()


def test_every_form_of_truth_is_drawn_alike():
    polygon = [np.array([[30, 20], [70, 20], [70, 50], [30, 50]], float)]
    mask = np.zeros((60, 100), bool)
    mask[20:50, 30:70] = True
    only_box = Instance(0, box=(30, 20, 70, 50))
    pictures = [
        draw_sample(grey(60, 100, [instance]), ["deer"])
        for instance in (Instance(0, polygon), Instance(0, mask), only_box)
    ]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


def test_crowds_are_called_so():
    one, many = (
        draw_sample(grey(200, 300, [Instance(0, box=(50, 50, 250, 150), crowd=crowd)]), ["deer"])
        for crowd in (False, True)
    )
    assert (one != many).any()  # the caption


@pytest.mark.parametrize("scale", [1, 2])
def test_keypoints_of_the_truth_are_drawn_where_they_are(scale):
    points = np.array([[30.5, 30.5, 2], [90.5, 30.5, 1], [60.5, 50.5, 0]])
    person = Instance(0, box=(10, 10, 110, 55), keypoints=points)
    sample = grey(60, 120, [person, Instance(0, box=(1, 1, 4, 4))])
    how = {"captions": False, "long_side": 120 * scale}
    plain = draw_sample(sample, ["deer"], **how)
    names = {"keypoint_names": ("nose", "tail", "ear"), "keypoint_skeleton": [(0, 1), (1, 2)]}
    more = (draw_sample(sample, ["deer"], **how, **names) != plain).any(axis=2)
    assert more[30 * scale, 31 * scale : 89 * scale].all()
    assert not more[36 * scale :].any() and not more[: 25 * scale].any()


def test_nothing_to_draw_leaves_the_image():
    sample = grey(20, 30)
    assert np.array_equal(draw_sample(sample, ["deer"]), sample.image)


def test_sheet_of_truth_and_predictions(tmp_path):
    dataset = ShapesDataset(5)
    found = [(i, Detections.empty(dataset.class_names, (128, 128))) for i in range(5)]
    both = prediction_sheet(dataset, found, limit=3, columns=4, cell_size=128)
    alone = prediction_sheet(dataset, found, truth=False, limit=3, columns=4, cell_size=128)
    assert both.shape[1] > 4 * 128 and both.shape[0] > 2 * 128  # 2 pairs a row, 2 rows
    assert alone.shape[1] < 4 * 128 and alone.shape[0] < 2 * 128  # 3 pictures, 1 row
    assert cv2.imwrite(str(tmp_path / "sheet.png"), both)
    assert np.array_equal(alone[8:136, 8:136], dataset[0].image)  # nothing found, nothing drawn
    dataset.keypoint_names, dataset.keypoint_skeleton = ("nose", "tail"), [(0, 1)]
    named = prediction_sheet(dataset, found, limit=3, columns=4, cell_size=128)
    assert np.array_equal(named, both)  # no object of it has keypoints


def test_predictions_are_taken_lazily():
    dataset = ShapesDataset(3)

    def predictions():
        yield 0, Detections.empty(dataset.class_names, (128, 128))
        raise AssertionError("one more than asked for")

    prediction_sheet(dataset, predictions(), limit=1, cell_size=64)


def labelled(*labels):
    return Labelled([grey(8, 8, [Instance(x, box=(1, 1, 5, 5)) for x in row]) for row in labels])


class Labelled(list):
    class_names = ("a", "b", "c")


def test_a_showcase_has_objects_of_every_class_first():
    dataset = labelled([], [0], [0, 1], [], [0], [2], [0], [0], [])
    assert showcase(dataset, 2) == [2, 5]
    assert showcase(dataset, 4) == [1, 2, 5, 6]
    assert showcase(dataset, 99) == [1, 2, 4, 5, 6, 7]
    assert showcase(dataset, 0) == []


def test_a_showcase_of_nothing_is_of_images_without_objects():
    assert showcase(labelled([], [], [], []), 2) == [0, 2]
    assert showcase(labelled([]), 12) == [0]


def test_a_showcase_is_looked_for_among_few_images():
    class Counted(Labelled):
        read = 0

        def __getitem__(self, place):
            self.read += 1
            return super().__getitem__(place)

    dataset = Counted(labelled(*([[0]] * 500)))
    assert showcase(dataset, 3, read=20) == sorted(showcase(dataset, 3, read=20))
    assert dataset.read == 40
