"""Photographs that are there twice: found in other sizes and other compressions, and no others."""

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import Sample, inspect
from kmaskrcnn.data.inspection.duplicates import (
    DISTANCE,
    Photograph,
    _distances,
    close_pairs,
    find_duplicates,
)
from kmaskrcnn.data.inspection.fingerprints import fingerprint, thumbnail
from tests.data.samples import ListDataset, noise_image
from tests.shared import shared_path


def write(path, pixels, *flags) -> Sample:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), pixels, list(flags))
    return Sample(path)


def faint(side: int) -> np.ndarray:
    """The black of a camera whose corner is a little brighter: nothing to tell images by."""
    ramp = np.add.outer(np.arange(side), np.arange(side)) * 4 // (2 * side)
    return np.repeat(ramp[:, :, None], 3, axis=2).astype(np.uint8)


@pytest.fixture
def copies(tmp_path):
    """Two photographs, and what became of the first; in train and in validation."""
    first, second = noise_image(300, 400, 1), noise_image(300, 400, 2)
    small = cv2.resize(first, (200, 150), interpolation=cv2.INTER_AREA)
    brighter = cv2.convertScaleAbs(first, alpha=0.8, beta=40)
    train = [
        write(tmp_path / "train" / "a.png", first),
        write(tmp_path / "train" / "b.png", second),
        write(tmp_path / "train" / "dark.png", faint(90)),
    ]
    held_out = [
        write(tmp_path / "val" / "c.jpg", small, cv2.IMWRITE_JPEG_QUALITY, 60),
        write(tmp_path / "val" / "d.jpg", brighter),
        write(tmp_path / "val" / "e.png", second),
        write(tmp_path / "val" / "f.png", noise_image(300, 400, 3)),
        write(tmp_path / "val" / "night.png", faint(120)),
    ]
    return ListDataset(train), ListDataset(held_out)


def names(group) -> list[str]:
    return [file.rsplit("/", 1)[-1] for file in group.files]


def test_copies_are_found_across_the_parts(copies):
    found = inspect(copies[0], validation=copies[1])
    same, alike = found.duplicates
    assert names(same) == ["b.png", "e.png"] and same.same_file and same.similarity == 1
    assert names(alike) == ["a.png", "c.jpg", "d.jpg"] and not alike.same_file
    assert alike.parts == ("train", "validation", "validation") and alike.indices == (0, 0, 1)
    assert 0.95 <= alike.similarity < 1 and found.leaks == found.duplicates
    text = str(found)
    assert "duplicates, in train and in validation: 2" in text and "the same file: " in text
    assert [group["is_leak"] for group in found.to_dict()["duplicates"]] == [True, True]
    assert not inspect(copies[0], validation=copies[1], duplicates=False).duplicates


def test_within_one_part_it_is_no_leak(copies):
    (group,) = inspect(copies[1]).duplicates
    assert names(group) == ["c.jpg", "d.jpg"] and not group.is_leak
    assert "duplicates, in one part: 1" in str(inspect(copies[1]))


@pytest.mark.parametrize("size", [(70, 90), (200, 300), (600, 800)])
def test_a_jpeg_is_decoded_as_small_as_will_do(tmp_path, size):
    pixels = noise_image(*size, 7)
    file = write(tmp_path / "a.jpg", pixels, cv2.IMWRITE_JPEG_QUALITY, 95)
    array = Sample(pixels[..., ::-1].copy())
    assert np.abs(thumbnail(file) - thumbnail(array)).mean() < 2


def test_arrays_are_compared_too():
    pixels = noise_image(60, 60, 4)
    (group,) = inspect(ListDataset([Sample(pixels), Sample(pixels.copy())])).duplicates
    assert group.same_file and group.files == ("image None", "image None")


def test_a_second_look_is_taken():
    """Fingerprints may agree by chance; pictures that differ are no copies."""
    samples = [Sample(noise_image(64, 64, seed)) for seed in (5, 6)]
    alike = [fingerprint(sample)._replace(bits=7) for sample in samples]
    photos = [Photograph("train", i, str(i), one) for i, one in enumerate(alike)]
    assert find_duplicates(photos, lambda photo: samples[photo.index]) == ()


def test_close_pairs_are_all_pairs_that_are_close():
    random = np.random.default_rng(0)
    base = random.integers(0, 2**63, 60, np.uint64) * np.uint64(2)
    flips = [sum(1 << int(b) for b in random.choice(64, k % 11, replace=False)) for k in range(240)]
    bits = np.unique(np.repeat(base, 4) ^ np.array(flips, np.uint64))
    slow = {
        (i, j)
        for i in range(len(bits))
        for j in range(i + 1, len(bits))
        if bin(int(bits[i]) ^ int(bits[j])).count("1") <= DISTANCE
    }
    found = list(close_pairs(bits))
    assert len(slow) > 50 and len(found) == len(set(found)) and set(found) == slow
    assert list(close_pairs(np.zeros(0, np.uint64))) == []


def test_bits_are_counted_without_numpy_2(monkeypatch):
    bits = np.random.default_rng(1).integers(0, 2**63, (2, 30), np.uint64)
    expected = [[bin(int(a) ^ int(b)).count("1") for b in bits[1]] for a in bits[0]]
    assert _distances(*bits).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert _distances(*bits).tolist() == expected


def test_real_photographs_are_all_different_and_their_copies_found(tmp_path):
    folder = shared_path("datasets/coco_openlicense/images")
    paths = sorted(folder.glob("*.jpg"))[:40]
    copies = []
    for path in paths[:8]:
        half = cv2.resize(cv2.imread(str(path)), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        copies.append(write(tmp_path / path.name, half, cv2.IMWRITE_JPEG_QUALITY, 70))
    found = inspect(ListDataset([Sample(p) for p in paths]), validation=ListDataset(copies))
    assert len(found.leaks) == 8 == len(found.duplicates)
    for group in found.leaks:
        first, second = names(group)
        assert first == second
