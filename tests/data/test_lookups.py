"""What is asked of an image before it is read: answered by the dataset, else by its sample."""

import pytest

from kmaskrcnn.data import (
    DataError,
    Sample,
    Subset,
    align,
    concatenate,
    load,
    map,
    repeat_factor,
    select_classes,
)
from kmaskrcnn.data.lookups import labels_of, size_of_image
from tests.data.compose.rows import dataset
from tests.data.samples import ListDataset, annotation, coco_content, write_coco, write_image


class Knowing:
    """Answers, and never reads."""

    class_names = ("a", "b")

    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise AssertionError("a sample was read")

    def image_labels(self, index):
        return [[1, 1], [0]][index]

    def image_size(self, index):
        return [(4, 3), (5, 6)][index]

    image_ids = (1, 2)


def test_a_dataset_that_knows_is_not_read():
    data = Knowing()
    assert labels_of(data) == [[1, 1], [0]] and size_of_image(data, 1) == (5, 6)
    for derived, labels in [
        (Subset(data, [1, 0]), [[0], [1, 1]]),
        (align(data, ("z", "b", "a")), [[1, 1], [2]]),
        (select_classes(data, ["a"]), [[], [0]]),
        (concatenate(data, Subset(data, [0])), [[1, 1], [0], [1, 1]]),
        (repeat_factor(data, 0.1), [[1, 1], [0]]),
    ]:
        assert labels_of(derived) == labels
    assert size_of_image(concatenate(data, Subset(data, [0])), 2) == (4, 3)
    assert not hasattr(map(data, lambda sample: sample), "image_labels")


def test_a_coco_file_knows(tmp_path):
    dogs = [annotation(category_id=5), annotation(id=8), annotation(id=9, category_id=5)]
    data = load(write_coco(tmp_path, coco_content(dogs)))
    assert data.image_labels(0) == [i.label for i in data[0].instances] == [1, 0, 1]
    assert size_of_image(data, 0) == (20, 30)


def test_others_are_asked_for_their_samples(tmp_path):
    assert labels_of(dataset([2, 0], [])) == [[2, 0], []]
    with pytest.raises(DataError, match="sample 0: label 7"):
        labels_of(dataset([7]))
    path = write_image(tmp_path / "a.png", 30, 20)
    sizes = [Sample(path), Sample(path, size=(7, 8)), Sample(tmp_path / "none.png")]
    data = ListDataset(sizes)
    assert [size_of_image(data, n) for n in range(3)] == [(30, 20), (7, 8), (0, 0)]
    assert size_of_image(dataset([0]), 0) == (8, 8)
