"""Views: what each switch may do, how often, and that the generator alone decides."""

import numpy as np
import pytest

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.views import sample_view
from kmaskrcnn.data.geometry import resize_matrix, resized, warp_box, warp_points
from tests.data.samples import ListDataset, source_of

SIZE, MIN_SIZE, MAX_SIZE = (60, 80), 45, 70


SOURCE = source_of(ListDataset([]), MIN_SIZE, MAX_SIZE)


def views(policy: str, count: int = 300, **changes):
    rng, augmentation = np.random.default_rng(0), Augmentation.named(policy).replace(**changes)
    return [sample_view(SOURCE, SIZE, augmentation, rng) for _ in range(count)]


def test_none_is_the_plain_resize():
    for view in views("none", 3):
        np.testing.assert_array_equal(view.matrix, resize_matrix(SIZE, MIN_SIZE, MAX_SIZE))
        assert view.size == resized(SIZE, MIN_SIZE, MAX_SIZE)


@pytest.mark.parametrize("policy, axis", [("flip", 0), ("vertical_flip", 1)])
def test_every_second_image_is_mirrored(policy, axis):
    scales = np.array([view.matrix[axis, axis] for view in views(policy)])
    assert 0.4 < (scales < 0).mean() < 0.6
    np.testing.assert_allclose(np.abs(scales), np.abs(scales[0]))


def test_scale_jitter_covers_its_range_and_never_exceeds_the_usual_size():
    usual = resized(SIZE, MIN_SIZE, MAX_SIZE)
    drawn = views("scale_jitter")
    factors = np.array([view.matrix[0, 0] for view in drawn]) * SIZE[1] / usual[1]
    assert 0.78 < factors.min() < 0.84 and 1.2 < factors.max() < 1.28
    assert all(view.size[0] <= usual[0] and view.size[1] <= usual[1] for view in drawn)


@pytest.mark.parametrize("policy", ["crop", "scale_jitter", "crop+scale_jitter+flip+vertical_flip"])
def test_the_view_shows_the_image_and_nothing_beside_it(policy):
    """The corners of the view come from inside the image."""
    for view in views(policy):
        height, width = view.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        back = warp_points(
            corners - view.matrix[:, 2], np.c_[np.linalg.inv(view.matrix[:, :2]), [0, 0]]
        )
        assert back.min() > -1e-6
        assert (back <= np.array(SIZE[::-1]) + 1e-6).all()


def test_crops_differ_in_place_and_size():
    matrices = np.array([view.matrix for view in views("crop", 50)])
    assert matrices[:, 0, 0].std() > 0.05 and matrices[:, 0, 2].std() > 1


def test_the_generator_alone_decides():
    first, second = views("lsj+rotation+crop", 20), views("crop+rotation+lsj", 20)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.matrix, other.matrix)
    assert len({view.matrix.tobytes() for view in first}) == 20


def test_short_edges_are_drawn_among_those_of_detectron2():
    drawn = views("detectron2")
    heights = {view.size[0] for view in drawn}
    assert heights == {
        resized(SIZE, round(share * MIN_SIZE), MAX_SIZE)[0]
        for share in (0.8, 0.84, 0.88, 0.92, 0.96, 1.0)
    }


def test_large_scale_jitter_keeps_the_canvas_and_fills_it_up():
    usual = resized(SIZE, MIN_SIZE, MAX_SIZE)
    drawn = views("lsj")
    factors = np.array([abs(v.matrix[0, 0]) for v in drawn]) * SIZE[1] / usual[1]
    assert 0.09 < factors.min() < 0.12 and 1.95 < factors.max() < 2.01
    assert {view.size for view in drawn} == {usual}
    whole = np.array([0, 0, SIZE[1], SIZE[0]])
    corners = [warp_box(whole, v.matrix)[:2] for v in drawn]
    small = [c for c, factor in zip(corners, factors, strict=True) if factor < 1]
    np.testing.assert_allclose(small, 0, atol=1e-9)  # mirrored ones, too
    assert {view.size for view in views("lsj", 30, canvas_size=(40, 40))} == {(40, 40)}


def test_a_turn_leans_moves_and_stays_within_its_limits():
    limits = {"rotation": 20.0, "shear": 10.0, "translation": 0.1}
    drawn = views("none", **limits)
    plain = views("none", 1)[0]
    middle = np.array(SIZE[::-1]) / 2
    moved = np.array(
        [warp_points(middle, v.matrix) - warp_points(middle, plain.matrix) for v in drawn]
    )
    assert (np.abs(moved) <= np.array(plain.size[::-1]) * 0.1 + 1e-9).all()
    assert (np.abs(moved).max(0) > np.array(plain.size[::-1]) * 0.09).all()
    turns = np.degrees([np.arctan2(v.matrix[1, 0], v.matrix[0, 0]) for v in drawn])
    assert turns.min() < -18 and turns.max() > 18 and np.abs(turns).max() <= 20.001
    scale = plain.matrix[0, 0] * plain.matrix[1, 1]
    assert all(np.linalg.det(v.matrix[:, :2]) == pytest.approx(scale) for v in drawn)


def test_a_single_pixel_survives_everything():
    for seed in range(20):
        rng, augmentation = np.random.default_rng(seed), Augmentation.named("crop+lsj+rotation")
        view = sample_view(SOURCE, (1, 1), augmentation.replace(pad=False), rng)
        assert min(view.size) >= 1
