"""Views of one image size, of every kind that a matrix can be."""

import numpy as np

from kmaskrcnn.data.geometry import View, crop, flip, identity, resize

SIZE = (40, 50)
VIEWS = {
    "identity": identity(SIZE),
    "smaller": resize(identity(SIZE), (13, 22)),
    "larger": resize(identity(SIZE), (97, 121)),
    "flipped": flip(resize(identity(SIZE), (64, 80))),
    "cropped": resize(crop(identity(SIZE), 11, 7, (20, 30)), (37, 55)),
    "turned": View(np.array([[0.8, -0.6, 20.0], [0.6, 0.8, -5.0]]), (45, 60)),
    "turned and mirrored": View(np.array([[-0.8, -0.6, 60.0], [-0.6, 0.8, 15.0]]), (45, 60)),
}
