"""One sample as padded arrays: exact, small, and nothing lost without a line."""

import tracemalloc

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, Report, Sample
from kmaskrcnn.data.encode import aligned, encode_sample, power_of_two, stack, warp_truths
from kmaskrcnn.data.geometry import Canvas, flip, identity, lay_out, resize, warp_image
from kmaskrcnn.data.rle import encode
from kmaskrcnn.ops.masks import unpack_mask
from tests.data.samples import full_mask, noise_image

IMAGE = noise_image(40, 50)


def encoded(instances, view=None, report=None, image=IMAGE, canvas=None):
    view = view or identity(image.shape[:2])
    sample = Sample(image, instances, image_id=3)
    truths = warp_truths(sample, view, image.shape[:2], 2, report or Report())
    canvas = canvas or lay_out(view.size, "corner", 64, 64)
    return encode_sample(warp_image(image, view), truths, canvas)


def test_masks_come_out_as_they_went_in():
    rng = np.random.default_rng(0)
    masks = [rng.random((40, 50)) < share for share in (0.5, 0.01, 0.99)]
    arrays = encoded([Instance(n % 2, mask) for n, mask in enumerate(masks)])
    for number, mask in enumerate(masks):
        window = arrays.mask_windows[number]
        crop = unpack_mask(arrays.mask_bytes, window, arrays.mask_offsets[number])
        np.testing.assert_array_equal(full_mask(window, crop, (40, 50)), mask)
        np.testing.assert_array_equal(arrays.boxes[number], window)
    np.testing.assert_array_equal(arrays.labels, [0, 1, 0, -1, -1, -1, -1, -1])


def test_padding_is_zeros_right_and_below():
    arrays = encoded([], view=resize(identity((40, 50)), (70, 128)))
    image = stack([arrays])["images"][0]
    assert image.shape == (128, 128, 3) and image.dtype == np.uint8
    assert image[70:].max() == 0 and image[69].max() > 0
    np.testing.assert_array_equal(arrays.image_sizes, [70, 128])


def test_on_a_square_the_truth_moves_with_the_image():
    mask = np.zeros((40, 50), bool)
    mask[3:9, 7:30] = noise_image(6, 23)[..., 0] > 99
    instances = [Instance(0, mask), Instance(1, box=(1.5, 2, 9, 8))]
    corner = encoded(instances)
    square = encoded(instances, canvas=Canvas((64, 64), 12, 7))
    image = stack([square])["images"][0]
    np.testing.assert_array_equal(image[12:52, 7:57], IMAGE)
    assert image.sum() == IMAGE.sum() and image.shape == (64, 64, 3)
    np.testing.assert_array_equal(square.image_sizes, [40, 50])
    np.testing.assert_array_equal(square.boxes[:2], corner.boxes[:2] + [7, 12, 7, 12])
    np.testing.assert_array_equal(square.boxes[2:], 0)
    np.testing.assert_array_equal(square.mask_windows[0], corner.mask_windows[0] + [7, 12, 7, 12])
    np.testing.assert_array_equal(square.mask_windows[1:], 0)  # no mask stays none
    np.testing.assert_array_equal(square.mask_bytes, corner.mask_bytes)


def test_on_a_square_keypoints_move_unless_they_are_not_labelled():
    keypoints = np.array([[10, 20, 2], [0, 0, 0], [5, 5, 1]], float)
    sample = Sample(IMAGE, [Instance(0, box=(1, 1, 30, 30), keypoints=keypoints)])
    view = identity((40, 50))
    truths = warp_truths(sample, view, (40, 50), 2, Report(), ("nose", "chin", "neck"))
    moved = encode_sample(IMAGE, truths, Canvas((64, 64), 12, 7)).keypoints
    np.testing.assert_array_equal(moved[0], [[17, 32, 2], [0, 0, 0], [12, 17, 1]])
    assert moved.dtype == np.float32 and not moved[1:].any()


def test_an_image_without_objects():
    arrays = encoded([])
    assert arrays.boxes.shape == (8, 4) and (arrays.labels == -1).all()
    assert not arrays.crowd.any() and arrays.mask_bytes.shape == (4096,)


def test_crowds_and_boxes_without_masks():
    arrays = encoded([Instance(0, box=(1.5, 2, 9, 8), crowd=True), Instance(1, box=(0, 0, 3, 3))])
    np.testing.assert_array_equal(arrays.crowd[:3], [True, False, False])
    np.testing.assert_array_equal(arrays.boxes[0], [1.5, 2, 9, 8])
    np.testing.assert_array_equal(arrays.mask_windows, 0)


def test_what_vanishes_is_counted():
    report = Report()
    instances = [
        Instance(0, np.zeros((40, 50), bool), annotation_id=11),
        Instance(1, box=(5, 5, 9, 9)),
        Instance(0, box=(5, 5, 5, 9), annotation_id=12),
    ]
    arrays = encoded(instances, report=report)
    np.testing.assert_array_equal(arrays.labels[:2], [1, -1])
    (kind,) = report.counts
    assert report.places(kind) == ["image 3, annotation 11", "image 3, annotation 12"]


def test_bad_labels_and_masks_name_image_and_annotation():
    with pytest.raises(DataError, match="image 3: label 2 of annotation 5"):
        encoded([Instance(2, box=(0, 0, 3, 3), annotation_id=5)])
    with pytest.raises(DataError, match="image 3: annotation 5: a mask of 4×4"):
        encoded([Instance(0, np.ones((4, 4), bool), annotation_id=5)])
    with pytest.raises(DataError, match="image 3, annotation 5: the mask or box cannot be read"):
        encoded([Instance(0, [[1, 2, 3, 4, 5, 6]], annotation_id=5)])


def test_a_flip_flips_image_boxes_and_masks_alike():
    instance = Instance(0, [np.array([[3.0, 4], [20, 4], [20, 30], [3, 15]])])
    plain, mirrored = encoded([instance]), encoded([instance], view=flip(identity((40, 50))))
    np.testing.assert_array_equal(mirrored.image, plain.image[:, ::-1])
    np.testing.assert_allclose(mirrored.boxes[0], [30, 4, 47, 30])


def test_a_batch_is_as_large_as_its_largest_sample():
    many = encoded([Instance(1, box=(0, 0, 3, 3))] * 9, image=noise_image(100, 30))
    batch = stack([encoded([Instance(0, box=(1, 1, 5, 5))]), many])
    assert batch["images"].shape == (2, 128, 64, 3) and batch["boxes"].shape == (2, 16, 4)
    np.testing.assert_array_equal(batch["images"][0, :40, :50], IMAGE)
    assert batch["images"][0].sum() == IMAGE.sum()
    np.testing.assert_array_equal(batch["labels"], [[0] + [-1] * 15, [1] * 9 + [-1] * 7])
    np.testing.assert_array_equal(batch["image_sizes"], [[40, 50], [100, 30]])
    assert batch["image_sizes"].dtype == np.float32 and batch["crowd"].dtype == np.bool_


@pytest.mark.parametrize("shape, dtype", [((3, 5, 7), np.uint8), ((2, 3, 4), np.float32)])
def test_tensorflow_takes_batches_as_they_are(shape, dtype):
    zeros = aligned(shape, np.dtype(dtype))
    assert zeros.shape == shape and zeros.dtype == dtype and not zeros.any()
    assert zeros.ctypes.data % 64 == 0 and zeros.flags.c_contiguous


@pytest.mark.parametrize("number, expected", [(0, 8), (8, 8), (9, 16), (400, 512)])
def test_powers_of_two(number, expected):
    assert power_of_two(number, 8) == expected


def discs(count: int, size: tuple[int, int]) -> list[tuple[float, float, float]]:
    rng = np.random.default_rng(0)
    return [
        (rng.uniform(0, size[1]), rng.uniform(0, size[0]), rng.uniform(15, 60))
        for _ in range(count)
    ]


def disc_polygons(size: tuple[int, int]) -> list[Instance]:
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = np.c_[np.cos(turns), np.sin(turns)]
    return [Instance(0, [[x, y] + r * circle]) for x, y, r in discs(400, size)]


def disc_codes(size: tuple[int, int]) -> list[Instance]:
    rows, columns = np.ogrid[: size[0], : size[1]]
    masks = [(rows - y) ** 2 + (columns - x) ** 2 <= r**2 for x, y, r in discs(20, size)]
    return [Instance(0, encode(mask)) for mask in masks] * 20


@pytest.mark.parametrize("make", [disc_polygons, disc_codes])
def test_400_objects_at_800_by_1333_take_a_few_megabytes(make):
    """As full-size masks they would take 427 MB."""
    size = (800, 1333)
    image, instances = noise_image(*size), make(size)
    tracemalloc.start()
    arrays = encoded(instances, image=image, view=flip(identity(size)))
    used, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (arrays.labels == 0).sum() == 400
    assert arrays.mask_bytes.nbytes <= 2**20
    assert used < 8e6 and peak < 20e6, f"{used / 1e6:.1f} MB kept, {peak / 1e6:.1f} MB at the peak"
