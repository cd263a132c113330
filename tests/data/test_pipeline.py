"""Batches: their arrays, few shapes, the same for the same seed, and errors that reach the user."""

import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.data import (
    DataError,
    InputSize,
    Instance,
    Order,
    Report,
    Sample,
    ShapesDataset,
    batches,
    clear_errors,
    repeat_factor,
)
from kmaskrcnn.data.geometry import flip, prepare_image
from kmaskrcnn.data.resizing import resized_size
from tests.data.samples import ListDataset, noise_image, write_image

SIZE = InputSize(64, 96)
PAIRS = Order(batch_size=2)
ONES = Order(batch_size=1)
SHAPES = ShapesDataset(7, image_size=[(64, 80), (70, 50)])


def arrays(stream) -> list[dict[str, np.ndarray]]:
    return [{k: v.numpy() for k, v in {**inputs, **targets}.items()} for inputs, targets in stream]


def indices(stream) -> list[int]:
    return [int(i) for batch in arrays(stream) for i in batch["image_indices"]]


def test_arrays_have_the_promised_types_and_shapes():
    stream = batches(SHAPES, SIZE, PAIRS)
    assert stream.cardinality().numpy() == 4 and len(stream) == 4
    got = arrays(stream)
    assert [len(batch["images"]) for batch in got] == [2, 2, 2, 1]
    for batch in got:
        count, slots = batch["labels"].shape
        expected = {
            "images": (np.uint8, (count, *batch["images"].shape[1:3], 3)),
            "image_sizes": (np.float32, (count, 2)),
            "boxes": (np.float32, (count, slots, 4)),
            "labels": (np.int32, (count, slots)),
            "crowd": (np.bool_, (count, slots)),
            "mask_bytes": (np.uint8, (count, batch["mask_bytes"].shape[1])),
            "mask_windows": (np.int32, (count, slots, 4)),
            "mask_offsets": (np.int32, (count, slots)),
            "image_indices": (np.int32, (count,)),
        }
        assert {k: (v.dtype, v.shape) for k, v in batch.items()} == expected
        assert batch["images"].shape[1] % 64 == batch["images"].shape[2] % 64 == 0
    assert stream.element_spec[0]["images"].shape.as_list() == [None, None, None, 3]
    assert stream.element_spec[1]["boxes"].shape.as_list() == [None, None, 4]


def test_images_are_those_that_predict_prepares():
    (batch,) = arrays(batches(ListDataset([SHAPES[0]], SHAPES.class_names), SIZE, PAIRS))
    pixels, matrix = prepare_image(SHAPES[0].image, 64, 96)
    height, width = pixels.shape[:2]
    np.testing.assert_array_equal(batch["images"][0, :height, :width], pixels)
    assert batch["images"][0, height:].max(initial=0) == 0
    np.testing.assert_array_equal(batch["image_sizes"][0], [height, width])
    assert matrix[0, 0] == pytest.approx(width / SHAPES[0].image.shape[1])


def test_all_images_are_there_also_those_without_objects():
    empty = [
        Sample(noise_image(40, 40)),
        Sample(noise_image(50, 30), [Instance(0, box=(1, 1, 9, 9))]),
    ]
    got = arrays(batches(ListDataset(empty), SIZE, PAIRS))
    np.testing.assert_array_equal(got[0]["labels"][:, 0], [-1, 0])
    np.testing.assert_array_equal(got[0]["image_indices"], [0, 1])


def test_keypoints_come_where_the_dataset_names_them():
    points = np.array([[10, 20, 2], [30, 5, 1], [0, 0, 0]])
    person = Instance(0, box=(5, 5, 40, 40), keypoints=points)
    data = ListDataset(
        [Sample(noise_image(64, 48), [Instance(1, box=(1, 1, 9, 9)), person])] * 2
        + [Sample(noise_image(64, 48))]
    )
    assert all("keypoints" not in batch for batch in arrays(batches(data, SIZE, PAIRS)))
    data.keypoint_names = ("nose", "left_ear", "right_ear")
    stream = batches(data, InputSize(96, 96), PAIRS)
    assert stream.element_spec[1]["keypoints"].shape.as_list() == [None, None, 3, 3]
    first, second = arrays(stream)
    assert first["keypoints"].shape == (2, 8, 3, 3) and first["keypoints"].dtype == np.float32
    np.testing.assert_allclose(first["keypoints"][0, 1], points * [1.5, 1.5, 1])
    assert not first["keypoints"][:, [0, *range(2, 8)]].any() and not second["keypoints"].any()
    mirrored = batches(data, SIZE, ONES, augmentation="flip")
    seen = [b["keypoints"][0, 1] for b in arrays(mirrored)[:2]]
    assert {tuple(k[:, 2]) for k in seen} <= {(2, 1, 0), (2, 0, 1)}
    data.keypoint_names = ("nose",)
    with pytest.raises(
        DataError, match=r"image None, annotation None: keypoints of shape \(3, 3\)"
    ):
        run(data)


def test_few_shapes():
    """Twenty sizes of images and numbers of objects lead to at most six shapes."""
    rng = np.random.default_rng(0)
    samples = [
        Sample(
            noise_image(int(h), int(w)),
            [Instance(0, box=(0, 0, 9, 9))] * int(rng.integers(0, 20)),
        )
        for h, w in rng.integers(40, 90, (20, 2))
    ]
    got = arrays(batches(ListDataset(samples), SIZE, PAIRS))
    assert len({(b["images"].shape, b["labels"].shape, b["mask_bytes"].shape) for b in got}) <= 6
    assert {b["labels"].shape[1] for b in got} <= {8, 16, 32}


def same(first, second) -> bool:
    return all(
        np.array_equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a
    )


SHUFFLED = Order(batch_size=2, shuffle=True, seed=5)
RANDOM = {"input_size": SIZE, "order": SHUFFLED, "augmentation": "crop+scale_jitter+flip"}


@pytest.mark.parametrize("policy", ["crop+scale_jitter+flip", "lsj+copy_paste"])
def test_threads_and_cache_do_not_matter_and_seeds_do(policy, tmp_path):
    samples = [
        replace(SHAPES[n], image=write_image(tmp_path / f"{n}.png", *SHAPES[n].size))
        for n in range(len(SHAPES))
    ]
    data = repeat_factor(ListDataset(samples, SHAPES.class_names), 1.0)
    options = {**RANDOM, "order": replace(SHUFFLED, by_orientation=True), "augmentation": policy}
    one, *others = (
        [arrays(stream), arrays(stream)]
        for stream in (
            batches(data, **options, num_threads=threads, cache=cache)
            for threads, cache in [(1, 0), (2, 0), (8, 0), (8, "1MB"), (2, 20_000)]
        )
    )
    for other in others:
        assert all(same(epoch, twin) for epoch, twin in zip(one, other, strict=True))
    options["order"] = replace(options["order"], seed=6)
    assert not same(one[0], arrays(batches(data, **options)))


def test_each_iteration_is_the_next_epoch_and_can_be_resumed():
    stream = batches(SHAPES, **RANDOM)
    epochs = [arrays(stream) for _ in range(3)]
    orders = [[int(i) for batch in epoch for i in batch["image_indices"]] for epoch in epochs]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    resumed = batches(SHAPES, **RANDOM, initial_epoch=1)
    assert same(arrays(resumed), epochs[1]) and same(arrays(resumed), epochs[2])


def test_the_augmentation_of_an_image_does_not_depend_on_the_order():
    stream = batches(SHAPES, **{**RANDOM, "order": replace(SHUFFLED, batch_size=1)})
    shuffled = {batch["image_indices"][0]: batch for batch in arrays(stream)}
    stream = batches(SHAPES, **{**RANDOM, "order": Order(batch_size=1, seed=5)})
    for batch in arrays(stream):
        assert same([batch], [shuffled[batch["image_indices"][0]]])


def test_the_augmentation_of_an_image_changes_from_epoch_to_epoch():
    stream = batches(SHAPES, SIZE, PAIRS, augmentation="crop")
    assert not same(arrays(stream), arrays(stream))


def test_the_seed_decides_the_order():
    orders = [indices(batches(SHAPES, SIZE, replace(SHUFFLED, seed=seed))) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_without_shuffling_the_order_is_the_dataset_s():
    assert indices(batches(SHAPES, SIZE, PAIRS)) == list(range(7))


def test_the_last_small_batch_can_be_left_out():
    stream = batches(SHAPES, SIZE, Order(batch_size=2, drop_remainder=True))
    assert len(stream) == 3 and len(arrays(stream)) == 3


def test_samples_are_read_by_several_threads():
    """Four readers meet at a barrier; a single one would wait there for ever."""
    barrier = threading.Barrier(4, timeout=20)

    class Meeting(ListDataset):
        def __getitem__(self, index):
            barrier.wait()
            return super().__getitem__(index)

    samples = [Sample(noise_image(32, 32))] * 8
    assert indices(batches(Meeting(samples), SIZE, PAIRS, num_threads=4)) == list(range(8))


def test_keras_gets_as_many_steps_as_there_are():
    stream = batches(SHAPES, SIZE, PAIRS).repeat(2)
    assert stream.cardinality().numpy() == 8
    assert len(list(stream)) == 8


class Failing(ListDataset):
    def __getitem__(self, index):
        if index == 1:
            raise KeyError("lost")
        return super().__getitem__(index) if index == 0 else "no sample"


def run(dataset, order=PAIRS) -> list:
    with clear_errors():
        return list(batches(dataset, SIZE, order))


def test_errors_of_the_dataset_name_the_sample():
    samples = [Sample(noise_image(32, 32))] * 3
    with pytest.raises(
        DataError, match=r"^sample 1 of Failing: __getitem__ raised KeyError: 'lost'$"
    ):
        run(Failing(samples), ONES)
    failing = Failing(samples)
    failing.samples[0] = "no sample"
    with pytest.raises(DataError, match="sample 0 of Failing: __getitem__ returned str"):
        run(failing, ONES)


def test_errors_of_files_name_the_file(tmp_path):
    path = write_image(tmp_path / "a.png")
    wrong = Sample(path, [Instance(0, np.ones((9, 9), bool), annotation_id=4)])
    with pytest.raises(DataError, match=r"a\.png: annotation 4: a mask of 9×9"):
        run(ListDataset([wrong]))
    path.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"a\.png: not an image"):
        run(ListDataset([Sample(path)]))


def test_what_is_left_out_is_counted_once_in_the_given_report():
    data = ListDataset(
        [Sample(noise_image(32, 32), [Instance(0, box=(3, 3, 3, 9), annotation_id=9)])]
    )
    report = Report()
    stream = batches(data, SIZE, PAIRS, report=report)
    list(stream), list(stream)
    assert list(report.counts.values()) == [1]
    data.report = Report()
    run(data)
    assert data.report.total == 1


def test_a_square_canvas_is_the_corner_moved():
    corner, square = (
        arrays(
            batches(
                SHAPES,
                InputSize(64, 96, size_divisor=32, canvas=canvas),
                ONES,
                augmentation="scale_jitter+flip",
            )
        )
        for canvas in ("corner", "square")
    )
    for one, other in zip(corner, square, strict=True):
        assert other["images"].shape == (1, 96, 96, 3)
        np.testing.assert_array_equal(one["image_sizes"], other["image_sizes"])
        height, width = one["image_sizes"][0].astype(int)
        top, left = (96 - height) // 2, (96 - width) // 2
        part = other["images"][0, top : top + height, left : left + width]
        np.testing.assert_array_equal(part, one["images"][0, :height, :width])
        assert part.sum() == other["images"].sum()
        count = (one["labels"] >= 0).sum()
        shift = np.float32([left, top, left, top])
        np.testing.assert_array_equal(other["boxes"][0, :count], one["boxes"][0, :count] + shift)


def test_sizes_are_those_of_the_prediction():
    [batch] = arrays(batches(SHAPES, InputSize(32, 75, resize="matterport"), Order(7)))
    by_index = dict(zip(batch["image_indices"], batch["image_sizes"].tolist(), strict=True))
    for index, size in by_index.items():
        expected = resized_size(SHAPES[index].size, 32, 75, "matterport")
        assert tuple(size) == expected and max(expected) > 60  # not shrunk to 32


def test_nonsense_is_refused_at_once():
    with pytest.raises(ValueError, match="got 'round'"):
        InputSize(64, 96, canvas="round")
    with pytest.raises(ValueError, match="got 'bicubic'"):
        InputSize(64, 96, resize="bicubic")
    with pytest.raises(DataError, match="at least one image is needed"):
        batches(ListDataset([]), SIZE, PAIRS)
    with pytest.raises(ValueError, match="'lots': expected a number of bytes"):
        batches(SHAPES, SIZE, PAIRS, cache="lots")
    with pytest.raises(ValueError, match="augmentation 'blur'"):
        batches(SHAPES, SIZE, PAIRS, augmentation="blur")


def test_repeated_images_are_augmented_anew():
    data = repeat_factor(ListDataset([SHAPES[0], SHAPES[0]], SHAPES.class_names), 1.0)
    data.repeats = np.array([1.0, 3.0])
    stream = batches(data, SIZE, Order(1, shuffle=True), augmentation="crop")
    sizes = [tuple(b["boxes"][0, 0]) for b in arrays(stream) if b["image_indices"] == 1]
    assert len(sizes) == len(set(sizes)) == 3 and len(stream) == 4


def test_workers_get_their_parts():
    parts = [batches(SHAPES, SIZE, Order(2, shuffle=True, shard=(index, 3))) for index in range(3)]
    assert [len(part) for part in parts] == [2, 2, 2]
    assert sorted(index for part in parts for index in indices(part)) == list(range(7))


def test_it_runs_inside_a_graph():
    @tf.function
    def count(stream):
        return stream.reduce(0, lambda n, batch: n + tf.shape(batch[0]["images"])[0])

    assert count(batches(SHAPES, SIZE, PAIRS)).numpy() == 7


def test_a_function_of_the_user_s_moves_pixels_boxes_and_masks_alike():
    def upside_down(image, view, rng):
        return image, flip(view, vertical=True)

    one = ListDataset([SHAPES[0]], SHAPES.class_names)
    (plain,), (seen,) = (
        arrays(batches(one, SIZE, PAIRS, augmentation=policy)) for policy in ("none", upside_down)
    )
    height, width = plain["image_sizes"][0].astype(int)
    np.testing.assert_array_equal(
        seen["images"][0, :height, :width], plain["images"][0, :height, :width][::-1]
    )
    count = int((plain["labels"] >= 0).sum())
    flipped = plain["boxes"][0, :count, [0, 3, 2, 1]].T
    flipped[:, 1::2] = height - flipped[:, 1::2]
    assert count > 0
    np.testing.assert_allclose(seen["boxes"][0, :count], flipped, atol=1.01)


def test_a_function_that_fails_is_named_with_its_error():
    def broken(image, view, rng):
        raise RuntimeError("no such filter")

    with pytest.raises(DataError, match="augmentation broken: RuntimeError: no such filter"):
        with clear_errors():
            list(batches(SHAPES, SIZE, PAIRS, augmentation=broken))


def test_nothing_of_a_stream_stays_behind():
    """TensorFlow keeps the functions that it has called: not the threads and images behind them."""

    def workers() -> set[threading.Thread]:
        return {t for t in threading.enumerate() if t.name.startswith("kmaskrcnn-data")}

    before = workers()
    stream = batches(ListDataset(SHAPES, SHAPES.class_names), SIZE, PAIRS, num_threads=3)
    reader = weakref.ref(stream.reader)
    list(stream)
    first = next(iter(stream.repeat(2).take(1)))
    assert first[0]["images"].shape[0] == 2 and reader() is not None
    started = workers() - before
    assert started
    del stream
    gc.collect()
    assert reader() is None
    for thread in started:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in started)
