"""Which images make which batch: every one once, or as often as it should, and for every worker."""

import numpy as np
import pytest

from kmaskrcnn.data import DataError, Order, Sample
from kmaskrcnn.data.order import Plan, repeated
from tests.data.samples import ListDataset, write_image

WIDE, TALL = np.zeros((4, 8, 3), np.uint8), np.zeros((8, 4, 3), np.uint8)


def images(pattern: str) -> ListDataset:
    """An image for each letter: w wide, t tall."""
    return ListDataset([Sample({"w": WIDE, "t": TALL}[letter]) for letter in pattern])


def plan(order: Order, pattern: str = "wtwtwwwtww") -> list[list[int]]:
    return [batch.tolist() for batch in Plan(images(pattern), order).batches(3)]


def test_in_the_dataset_s_order():
    assert plan(Order(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert plan(Order(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_shuffled_every_image_is_there_once():
    batches = plan(Order(4, shuffle=True))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(sum(batches, [])) == list(range(10)) != sum(batches, [])


def test_wide_with_wide_and_tall_with_tall():
    """As soon as a pair is there it is a batch; what is left over shares the last."""
    assert plan(Order(2, by_orientation=True)) == [[0, 2], [1, 3], [4, 5], [6, 8], [7, 9]]
    pattern = "wt" * 50
    for seed in range(4):
        batches = plan(Order(4, shuffle=True, by_orientation=True, seed=seed), pattern)
        assert len(batches) == 25 and sorted(sum(batches, [])) == list(range(100))
        mixed = [len({index % 2 for index in batch}) > 1 for batch in batches]
        assert sum(mixed[:-2]) == 0


def test_the_orientation_of_files_and_annotations(tmp_path):
    samples = [
        Sample(write_image(tmp_path / "tall.png", 30, 20)),
        Sample(tmp_path / "not there.png", size=(30, 20)),
        Sample(tmp_path / "not there.png", size=(20, 30)),
        Sample(tmp_path / "not there.png"),
    ]
    found = Plan(ListDataset(samples), Order(2, by_orientation=True))
    assert found.upright.tolist() == [True, True, False, False]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [7, 8, 12, 13, 29])
@pytest.mark.parametrize("by_orientation", [False, True])
def test_workers_share_an_epoch(shuffle, count, length, by_orientation):
    pattern = ("wtw" * length)[:length]
    parts = [
        plan(Order(3, shuffle, shard=(index, count), by_orientation=by_orientation), pattern)
        for index in range(count)
    ]
    assert len({len(part) for part in parts}) == 1
    assert sorted(sum(sum(parts, []), [])) == list(range(length))
    assert all(1 <= len(batch) <= 3 for part in parts for batch in part)


def test_workers_when_there_is_no_fair_share():
    parts = [plan(Order(1, shard=(index, 2)), "w" * 5) for index in range(2)]
    assert parts == [[[0], [2], [4]], [[1], [3], [4]]]
    dropped = [plan(Order(2, shard=(i, 2), drop_remainder=True), "w" * 7) for i in range(2)]
    assert dropped == [[[0, 1]], [[2, 3]]]
    with pytest.raises(DataError, match="3 images in batches of 2 for 2 workers"):
        plan(Order(2, shard=(0, 2), drop_remainder=True), "www")


def test_repeated_images_come_as_often_as_they_should():
    repeats = np.array([1.0, 1.5, 2.25, 1.0, 3.5])
    epochs = [repeated(repeats, np.random.default_rng(seed)) for seed in range(4000)]
    assert {len(epoch) for epoch in epochs} == {9}  # 9.25
    counts = np.array([np.bincount(epoch % 5, minlength=5) for epoch in epochs])
    expected = np.floor(repeats) + (repeats % 1) / 1.25  # one of 1.25 is drawn
    np.testing.assert_allclose(counts.mean(0), expected, atol=0.03)
    assert (counts >= np.floor(repeats)).all() and (counts <= np.ceil(repeats)).all()
    assert all(len(set(epoch.tolist())) == 9 for epoch in epochs)  # a ticket each


def test_only_a_training_repeats():
    data = images("wwt")
    data.repeats = np.array([1.0, 2.0, 1.5])
    assert len(Plan(data, Order(1)).batches(0)) == 3
    shuffled = Plan(data, Order(1, shuffle=True, by_orientation=True))
    tickets = np.concatenate(shuffled.batches(0))
    assert sorted(tickets % 3)[:3] == [0, 1, 1] and len(tickets) == shuffled.num_batches == 4


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        Order(0)
    with pytest.raises(ValueError, match=r"shard=\(2, 2\): expected"):
        Order(1, shard=(2, 2))
    with pytest.raises(DataError, match="empty"):
        Plan(images(""), Order(1))
