"""The sheet of what a training sees: rows of images, columns of epochs, the truth on them."""

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data import Instance, Sample, ShapesDataset, augmentation_sheet, batches
from kmaskrcnn.data.augmentation.draw import draw_one
from kmaskrcnn.data.augmentation.pictures import draw_truths
from kmaskrcnn.data.input_size import InputSize
from kmaskrcnn.data.order import Order
from tests.data.samples import ListDataset, source_of

SHAPES = ShapesDataset(3, image_size=(48, 64))


def test_a_row_an_image_and_a_column_an_epoch():
    size = InputSize(48, 64)
    sheet = augmentation_sheet(SHAPES, "lsj+copy_paste", size, [0, 2], num_epochs=2, cell_size=64)
    assert sheet.shape == (2 * (48 + 22 + 8) + 8, 3 * (64 + 8) + 8, 3)
    cells = [
        sheet[8 + 78 * r : 56 + 78 * r, 8 + 72 * c : 72 + 72 * c] for r in (0, 1) for c in range(3)
    ]
    assert len({cell.tobytes() for cell in cells}) == 6
    again = augmentation_sheet(SHAPES, "lsj+copy_paste", size, [0, 2], num_epochs=2, cell_size=64)
    np.testing.assert_array_equal(sheet, again)


def test_the_pictures_are_those_of_the_training(monkeypatch):
    """Drawn without the truth on them, to the bit."""
    monkeypatch.setattr(
        "kmaskrcnn.data.augmentation.pictures.draw_truths", lambda drawn, dataset: drawn.image
    )
    size, policy = InputSize(48, 64), Augmentation.named("rotation+flip")
    sheet = augmentation_sheet(SHAPES, policy, size, [1], num_epochs=1, seed=3, cell_size=64)
    stream = batches(SHAPES, size, Order(1, seed=3), augmentation=policy)
    image = list(stream.as_numpy_iterator())[1][0]["images"][0]
    np.testing.assert_array_equal(sheet[8:56, 80:144], image[:48, :64])


def test_masks_boxes_and_keypoints_are_drawn():
    mask = np.zeros((40, 60), bool)
    mask[5:20, 5:20] = True
    points = np.array([[50.0, 30, 2]])
    objects = {
        "mask": Instance(0, mask),
        "box": Instance(1, box=(30, 5, 50, 20)),
        "keypoints": Instance(0, box=(40, 25, 55, 38), keypoints=points),
    }
    image = np.full((40, 60, 3), 128, np.uint8)
    for name, instance in objects.items():
        dataset = ListDataset([Sample(image, [instance])])
        dataset.keypoint_names = ("nose",)
        drawn = draw_one(source_of(dataset, 40, 60), 0, Augmentation(), np.random.default_rng(0))
        left, top, right, bottom = drawn.truths.boxes[0].astype(int)
        changed = (draw_truths(drawn, dataset) != 128).any(-1)
        assert changed[top:bottom, left:right].mean() > (0.9 if name == "mask" else 0.1), name
