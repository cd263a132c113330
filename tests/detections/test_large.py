"""A hundred objects on a large photograph: little memory, and the same on eight threads."""

import threading
import tracemalloc

import numpy as np
import pytest

from tests.detections.some import probable

MEGABYTE = 2**20
WAYS = {
    "merged": lambda found: found.merged(0.1, how="union").area.tolist(),
    "best": lambda found: found.merged(0.1).scores.tolist(),
    "measure": lambda found: {name: list(v) for name, v in found.measure().items()},
    "to_labelme": lambda found: found.to_labelme("photo.jpg"),
    "to_supervision": lambda found: np.asarray(found.to_supervision().xyxy).tolist(),
    "filter": lambda found: found.filter(area=(100, None), at_edge=False).boxes.tolist(),
}


@pytest.fixture(scope="module")
def found():
    return probable(100, (3000, 4000))


def answer(way, found):
    if way == "to_supervision":
        pytest.importorskip("supervision", reason="an extra: pip install kmaskrcnn[supervision]")
    return WAYS[way](found)


@pytest.mark.parametrize("way", WAYS)
def test_no_array_of_all_objects_by_all_pixels(way, found):
    answer(way, found[:1])  # first call: imports
    tracemalloc.start()
    answer(way, found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * MEGABYTE  # one full mask alone is 11, all of them 1144


def test_a_label_map_takes_what_it_is(found):
    tracemalloc.start()
    result = found.label_map()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.nbytes + 2 * MEGABYTE


def test_pieces_of_the_photograph_come_one_at_a_time(found):
    image = np.zeros((3000, 4000, 3), np.uint8)
    tracemalloc.start()
    sizes = [len(piece) for pieces in (found.crops, found.cutouts) for piece in pieces(image)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(sizes) == 200 and peak < image.nbytes + 3 * MEGABYTE


def test_eight_threads_get_one_threads_answers(found):
    few = found[:12]
    expected, answers = [answer(way, few) for way in WAYS], []

    def work():
        answers.append([answer(way, few) for way in WAYS])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(repr(one) == repr(expected) for one in answers)
