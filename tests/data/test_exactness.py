"""A thousand random compositions of resizing, mirrors, cuts, turns, shears and shifts against a
slow exact reference: masks, boxes and keypoints."""

import numpy as np
import pytest

from kmaskrcnn.data import Instance
from kmaskrcnn.data.geometry import View, crop, flip, identity, resize, rotate
from kmaskrcnn.data.keypoints import warp_keypoints
from kmaskrcnn.data.rle import encode
from kmaskrcnn.data.warp_masks import warp_instance
from tests.data import affine_reference as reference
from tests.data.samples import full_mask

SIZE = 40, 48
NAMES = ("nose", "left_eye", "right_eye", "left_hand", "right_hand")
MIRRORED = [0, 2, 1, 4, 3]
COUNT = 1000
EVEN, ODD = range(0, COUNT, 2), range(1, COUNT, 2)
AREA = 256  # pixels; of smaller objects single pixels weigh too much


def random_view(rng) -> tuple[View, np.ndarray, bool]:
    """A view of two to five steps, the same as a matrix (3, 3) made here, whether mirrored."""
    view, matrix, mirrored = identity(SIZE), np.eye(3), False
    for step in rng.choice(STEPS, rng.integers(2, 6)):
        view, new, mirrors = step(view, rng)
        matrix, mirrored = np.asarray(new, float) @ matrix, mirrored ^ mirrors
    return view, matrix, mirrored


def resized(view, rng):
    height, width = (max(int(side * rng.uniform(0.6, 1.6)), 24) for side in view.size)
    height, width = min(height, 64), min(width, 64)
    scale = np.diag([width / view.size[1], height / view.size[0], 1])
    return resize(view, (height, width)), scale, False


def mirrored_left_right(view, rng):
    return flip(view), [[-1, 0, view.size[1]], [0, 1, 0], [0, 0, 1]], True


def mirrored_top_bottom(view, rng):
    return flip(view, vertical=True), [[1, 0, 0], [0, -1, view.size[0]], [0, 0, 1]], True


def cut(view, rng):
    height, width = (int(side * rng.uniform(0.6, 1)) for side in view.size)
    y, x = rng.uniform(0, view.size[0] - height), rng.uniform(0, view.size[1] - width)
    return crop(view, x, y, (height, width)), [[1, 0, -x], [0, 1, -y], [0, 0, 1]], False


def shifted(view, rng):
    x, y = rng.uniform(-8, 8, 2)
    return crop(view, x, y, view.size), [[1, 0, -x], [0, 1, -y], [0, 0, 1]], False


def turned(view, rng):
    degrees, shear = rng.uniform(-180, 180), rng.uniform(-25, 25)
    angle, lean = np.radians([degrees, shear])
    there = np.array([[1, 0, view.size[1] / 2], [0, 1, view.size[0] / 2], [0, 0, 1]])
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    sheared = np.array([[1, np.tan(lean), 0], [0, 1, 0], [0, 0, 1]])
    return rotate(view, degrees, shear), there @ turn @ sheared @ np.linalg.inv(there), False


STEPS = np.array([resized, mirrored_left_right, mirrored_top_bottom, cut, shifted, turned])


def random_polygon(rng) -> np.ndarray:
    """A star around a point: corners in the order of their angles."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 13)))
    radii = rng.uniform(0.5, 1, len(angles)) * rng.uniform(8, 24)
    middle = rng.uniform([12, 10], [36, 30])
    return middle + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])


def random_bitmap(rng) -> np.ndarray:
    """Some discs and rectangles, one of them missing."""
    y, x = np.ogrid[: SIZE[0], : SIZE[1]]
    mask = np.zeros(SIZE, bool)
    for number in range(rng.integers(2, 5)):
        cx, cy = rng.uniform([10, 8], [38, 32])
        rx, ry = rng.uniform(4, 14, 2)
        power = rng.choice([2, 50])
        part = np.abs((x - cx) / rx) ** power + np.abs((y - cy) / ry) ** power < 1
        mask = mask & ~part if number == 3 else mask | part
    return mask


def overlap(got: np.ndarray, expected: np.ndarray, either: np.ndarray) -> float:
    got, expected = got & ~either, expected & ~either
    return (got & expected).sum() / (got | expected).sum()


def compared(instance, inside, outline, view, matrix) -> tuple[float | None, float | None]:
    """The IoU of the masks, of objects that are large enough, and the largest error of the box."""
    box, window, part = warp_instance(instance, view, SIZE)
    got = full_mask(window, part, view.size)
    expected, either = reference.majority(inside, matrix, view.size)
    iou = overlap(got, expected, either) if expected.sum() > AREA else None
    expected_box = reference.box_of(outline, inside, matrix, view.size)
    return iou, np.abs(box - expected_box).max() if got.any() else None


def figures(draw, seeds) -> tuple[np.ndarray, np.ndarray]:
    """IoUs and box errors of objects that ``draw`` makes: instance, inside, points outside."""
    pairs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        view, matrix, _ = random_view(rng)
        pairs.append(compared(*draw(rng), view, matrix))
    ious, errors = zip(*pairs, strict=True)
    return tuple(np.array([v for v in values if v is not None]) for values in (ious, errors))


def polygons(rng):
    made = [random_polygon(rng) for _ in range(rng.integers(1, 3))]
    outline = reference.outline_of_polygons(made)
    return Instance(0, made), reference.in_polygons(made), outline


def run_lengths(rng):
    mask = random_bitmap(rng)
    outline = reference.outline_of_bitmap(mask)
    return Instance(0, encode(mask)), reference.in_bitmap(mask), outline


@pytest.mark.parametrize(("draw", "seeds"), [(polygons, EVEN), (run_lengths, ODD)])
def test_masks_and_their_boxes(draw, seeds):
    ious, errors = figures(draw, seeds)
    print(
        f"{draw.__name__}: {len(ious)} masks, IoU at least {ious.min():.4f}, "
        f"{len(errors)} boxes, {errors.max():.3f} px off at most"
    )
    assert len(ious) > COUNT // 8 and len(errors) > COUNT // 3
    assert ious.min() >= 0.99 and errors.max() <= 0.1


def test_boxes_without_a_mask_and_keypoints():
    """Upright around the warped corners, cut at the view; points but for float32."""
    for seed in range(COUNT):
        rng = np.random.default_rng(seed)
        view, matrix, mirrored = random_view(rng)
        x, y = np.sort(rng.uniform(0, 48, 2)), np.sort(rng.uniform(0, 40, 2))
        corners = np.array([[u, v, 1] for u in x for v in y]) @ matrix.T
        limits = [view.size[1], view.size[0]]
        box, _, _ = warp_instance(Instance(0, box=[x[0], y[0], x[1], y[1]]), view, SIZE)
        expected = np.r_[corners[:, :2].min(0), corners[:, :2].max(0)]
        np.testing.assert_allclose(box, np.clip(expected, 0, limits * 2), atol=1e-9)
        points = np.column_stack([rng.uniform(0, [48, 40], (5, 2)), rng.integers(0, 3, 5)])
        moved = (np.c_[points[:, :2], np.ones(5)] @ matrix.T)[:, :2]
        seen = (points[:, 2] > 0) & ((moved >= 0) & (moved <= limits)).all(1)
        expected = np.where(seen[:, None], np.c_[moved, points[:, 2]], 0)
        expected = expected[MIRRORED] if mirrored else expected
        np.testing.assert_allclose(warp_keypoints(points, view, NAMES), expected, atol=1e-5)
