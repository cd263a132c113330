"""Decoded images in memory: never more than the limit, and the same pixels."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kmaskrcnn.data import Sample
from kmaskrcnn.data.cache import ImageCache
from tests.data.samples import noise_image, write_image

BYTES = 20 * 30 * 3  # of one image


def samples(folder, count):
    return [Sample(write_image(folder / f"{number}.png")) for number in range(count)]


def test_what_was_read_is_there_again(tmp_path):
    cache, (sample,) = ImageCache("1MB"), samples(tmp_path, 1)
    first = cache.read(sample)
    np.testing.assert_array_equal(first, sample.read())
    sample.image.unlink()
    assert cache.read(sample) is first and (cache.hits, cache.misses) == (1, 1)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_the_limit_holds_and_what_is_kept_stays(tmp_path):
    """Five images go round; three fit, and are found again in every round."""
    cache, many = ImageCache(3 * BYTES + 1), samples(tmp_path, 5)
    for _ in range(4):
        for sample in many:
            cache.read(sample)
            assert cache.held <= cache.limit
    assert cache.held == 3 * BYTES and (cache.hits, cache.misses) == (9, 11)


def test_without_a_limit_given_nothing_is_kept(tmp_path):
    cache, (sample,) = ImageCache(), samples(tmp_path, 1)
    assert cache.read(sample).flags.writeable and cache.held == 0
    array = Sample(noise_image(4, 4))
    assert ImageCache("1MB").read(array) is not None and cache.held == 0


def test_an_image_of_another_annotated_size_is_another(tmp_path):
    cache, (sample,) = ImageCache("1MB"), samples(tmp_path, 1)
    cache.read(sample), cache.read(Sample(sample.image, size=(20, 30)))
    assert cache.misses == 2


def test_many_threads_keep_the_count(tmp_path):
    cache, many = ImageCache(4 * BYTES), samples(tmp_path, 8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cache.read, many * 20))
    assert cache.held == 4 * BYTES == sum(image.nbytes for image in cache._images.values())
    assert cache.hits + cache.misses == 160
