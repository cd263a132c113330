"""Other class names: matched, renamed, merged, selected; ids and counts go with them."""

from dataclasses import replace

import pytest

from kmaskrcnn.data import DataError, Dataset, Report, align, rename_classes, select_classes
from kmaskrcnn.data.dataset import count_classes
from tests.data.compose.rows import dataset, ids, rows

NAMES = ("car", "lorry", "van", "person")


def traffic():
    return dataset([0, 1], [2, 2, 3], [], names=NAMES)


def counted(data):
    """With what only some datasets know."""
    data.class_counts = lambda: [1, 1, 2, 1]
    data.category_ids, data.report, data.keypoint_names = (3, 8, 4, 1), Report(), ("nose",)
    data.description = "traffic.json"
    return data


def test_labels_are_matched_by_name():
    wider = align(traffic(), ("tree", "person", "van", "lorry", "car"))
    assert rows(wider) == [["car", "lorry"], ["van", "van", "person"], []]
    assert isinstance(wider, Dataset) and ids(wider) == [0, 1, 2]
    data = traffic()
    assert align(data, NAMES) is data
    with pytest.raises(DataError, match="4 expected, 4 given"):
        align(data, ("car", "lorry", "van", "tree"))


def test_two_names_become_one():
    merged = rename_classes(traffic(), {"lorry": "truck", "van": "truck"})
    assert merged.class_names == ("car", "truck", "person")
    assert rows(merged) == [["car", "truck"], ["truck", "truck", "person"], []]
    assert count_classes(merged) == ([1, 3, 1], 3)
    assert merged.description == "lorry → truck, van → truck in: ListDataset"


def test_a_new_name_may_be_there_already():
    merged = rename_classes(traffic(), {"lorry": "car", "van": "car"})
    assert merged.class_names == ("car", "person")
    assert rows(merged) == [["car", "car"], ["car", "car", "person"], []]


def test_names_can_be_swapped():
    swapped = rename_classes(traffic(), {"car": "lorry", "lorry": "car"})
    assert swapped.class_names == ("lorry", "car", "van", "person")
    assert rows(swapped)[0] == ["lorry", "car"]


def test_objects_of_other_classes_are_left_out_and_their_images_stay():
    some = select_classes(traffic(), ["person", "car"])
    assert some.class_names == ("person", "car")
    assert rows(some) == [["car"], ["person"], []]
    assert some.description == "the classes person, car of: ListDataset"


def test_ids_counts_report_and_keypoints_go_along():
    merged = rename_classes(counted(traffic()), {"lorry": "truck", "van": "truck"})
    assert merged.category_ids == (3, 8, 1) and merged.class_counts() == [1, 3, 1]
    assert merged.report is merged.dataset.report and merged.keypoint_names == ("nose",)
    some = select_classes(counted(traffic()), ["person", "van"])
    assert some.category_ids == (1, 4) and some.class_counts() == [1, 2]
    assert some.description == "the classes person, van of: traffic.json"
    assert not hasattr(align(counted(traffic()), (*NAMES, "tree")), "category_ids")
    assert not hasattr(select_classes(traffic(), ["van"]), "class_counts")


def test_what_an_image_was_searched_for_goes_along():
    """A merged class is known to be absent where all that it was made of are."""
    data = traffic()
    data.samples[0] = replace(data.samples[0], absent={1, 3}, incomplete=(2, 0))
    data.samples[1] = replace(data.samples[1], absent={1, 2})
    merged = rename_classes(data, {"lorry": "truck", "van": "truck"})
    assert (merged[0].absent, merged[0].incomplete) == ({2}, {0, 1})
    assert merged[1].absent == {1} and merged[2].absent is None
    some = select_classes(data, ["person", "car"])
    assert (some[0].absent, some[0].incomplete) == ({0}, {1}) and some[1].absent == set()


def test_unknown_names_and_the_nearest():
    with pytest.raises(DataError, match="no class 'lory' in: ListDataset; did you mean 'lorry'"):
        rename_classes(traffic(), {"lory": "truck"})
    with pytest.raises(DataError, match="no class 'tree' .* did you mean 'car', 'lorry', 'van'"):
        select_classes(traffic(), ["car", "tree"])
    with pytest.raises(DataError, match="no class is selected"):
        select_classes(traffic(), [])


def test_a_label_that_is_no_class_is_an_error():
    with pytest.raises(DataError, match="image 0: label 4 of annotation"):
        select_classes(dataset([4]), ["a"])[0]


def test_what_was_looked_for_is_relabelled():
    """A merged class is absent where all that became it are, and incomplete where any is."""
    data = traffic()
    data.frequencies = ("f", "r", "c", "f")
    data.samples = [replace(s, absent=(1, 2, 3), incomplete=(0,)) for s in data.samples]
    data.samples[1] = replace(data.samples[1], absent=(1,), incomplete=(2,))
    merged = rename_classes(data, {"lorry": "truck", "van": "truck"})
    assert [set(s.absent) for s in merged] == [{1, 2}, set(), {1, 2}]
    assert [set(s.incomplete) for s in merged] == [{0}, {1}, {0}]
    assert merged.frequencies == ("f", "r", "f")
    assert [set(s.absent) for s in select_classes(data, ["van", "car"])] == [{0}, set(), {0}]
