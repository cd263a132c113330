"""Datasets out of memory: what is taken, and what is refused before anything is trained."""

import numpy as np
import pytest

from kmaskrcnn.data import (
    DataError,
    InputSize,
    Instance,
    Order,
    Sample,
    batches,
    from_arrays,
    from_generator,
)
from tests.data.samples import noise_image, write_image
from tests.data.writing.objects import SIZE, filled

IMAGES = np.stack([noise_image(*SIZE, seed=seed) for seed in range(3)])
MASKS = [
    np.stack([filled(2, 12, 2, 12), filled(20, 30, 30, 50)]),
    np.zeros((0, *SIZE)),
    filled(2, 9, 1, 9)[None] * 255,
]
LABELS = [["dog", 0], [], [1]]
BOXES = [[[2, 2, 12, 12], [30, 20, 50, 30]], [], [[1, 2, 9, 9]]]
NAMES = ("cat", "dog")


@pytest.mark.parametrize("masks", [MASKS, None])
@pytest.mark.parametrize("boxes", [BOXES, None])
def test_arrays(masks, boxes):
    if masks is boxes is None:
        return
    dataset = from_arrays(IMAGES, LABELS, NAMES, masks=masks, boxes=boxes)
    assert len(dataset) == 3 and dataset.class_names == NAMES
    assert [[i.label for i in dataset[n].instances] for n in range(3)] == [[1, 0], [], [1]]
    assert dataset[0].image.base is IMAGES or dataset[0].image is IMAGES[0]
    found = dataset[2].instances[0]
    if masks is not None:
        assert found.mask.dtype == bool and found.mask.sum() == 56
    assert found.box is None if boxes is None else found.box.tolist() == [1, 2, 9, 9]
    inputs, targets = next(iter(batches(dataset, InputSize(64, 64), Order(3))))
    assert inputs["images"].shape[0] == 3
    assert targets["labels"].numpy().max(1).tolist() == [1, -1, 1]


def test_paths_and_one_class(tmp_path):
    dataset = from_arrays([write_image(tmp_path / "a.png", *SIZE)], [["nut"]], "nut", [MASKS[2]])
    assert dataset.class_names == ("nut",) and dataset[0].read().shape == (*SIZE, 3)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"labels": LABELS[:2]}, "3 of image, 2 of labels, 3 of masks"),
        ({"labels": [["dog"], [], [1]]}, "image 0: 2 masks of shapes .* for 1 labels"),
        ({"labels": [["dog", "gnu"], [], [1]]}, "image 0: label 'gnu'; expected a name of"),
        ({"labels": [["dog", 2], [], [1]]}, "image 0: label 2; .* 0 … 1. The background"),
        ({"masks": [MASKS[0].transpose(1, 2, 0), *MASKS[1:]]}, r"Masks come first here"),
        ({"masks": [MASKS[0][:, :9], *MASKS[1:]]}, r"expected one each, \(height, width\)"),
        ({"masks": None}, "image 0: 2 labels, but neither masks nor boxes"),
        ({"boxes": [[[12, 2, 2, 12]] * 2, [], [[1, 1, 2, 2]]]}, "x1 < x2 and y1 < y2"),
        ({"boxes": [[[1, 2, 3, 4]], [], [[1, 1, 2, 2]]]}, "for 2 labels; expected one each"),
        ({"class_names": ()}, "class names .*: expected some"),
        ({"class_names": ("a", "a")}, "each once"),
        ({"images": [], "labels": [], "masks": []}, "at least one; got 0 of image"),
    ],
)
def test_refused(changes, message):
    given = {"images": IMAGES, "labels": LABELS, "class_names": NAMES, "masks": MASKS} | changes
    with pytest.raises(DataError, match=message):
        from_arrays(**given)


def parts(index):
    return {"image": IMAGES[index], "labels": LABELS[index], "masks": MASKS[index]}


def test_a_function_and_an_iterable():
    calls = []

    def function(index):
        calls.append(index)
        return parts(index)

    generator = (parts(index) for index in range(3))
    for source, length in ((function, 3), (generator, None), (map(parts, range(3)), 3)):
        dataset = from_generator(source, NAMES, length)
        for _ in range(2):
            assert [len(dataset[i].instances) for i in (2, 0, 1)] == [1, 2, 0]
        with pytest.raises(IndexError):
            dataset[3]
    assert calls == [2, 0, 1] * 2
    sample = Sample(IMAGES[0], [Instance(0, MASKS[0][0])])
    assert from_generator([sample], NAMES)[0] is sample


@pytest.mark.parametrize(
    "source, length, message",
    [
        (parts, None, "a function needs the number of its images"),
        ([], None, "gave 0 samples"),
        ([parts(0)], 2, "gave 1 samples, expected 2"),
        ([IMAGES[0]], None, "image 0: expected a Sample, or a dict .* got ndarray"),
        ([{"image": IMAGES[0], "mask": 1}], None, r"got \['image', 'mask'\]"),
    ],
)
def test_sources_that_do_not_fit(source, length, message):
    with pytest.raises(DataError, match=message):
        from_generator(source, NAMES, length)[0]
