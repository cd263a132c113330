"""A run's folder: how far it has come, which checkpoint is whole and newest, what differs."""

import math
import zipfile

import pytest

from kmaskrcnn import report, runs
from kmaskrcnn.runs import BEST, LAST, PREVIOUS, Record

NAN = math.nan


def record(*figures, name="val_mask_AP", **options):
    """A run of so many epochs with these AP."""
    rows = [{"loss": 1.0 / (i + 1), name: ap} for i, ap in enumerate(figures)]
    return Record({"epochs": 12, "seed": 0}, rows, **options)


def write(path, of):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", bytes(range(256)) * 100)
    runs.add_record(path, of)
    return path


def test_a_record_survives_its_json():
    old = record(0.1, NAN, steps=7)
    new = Record.from_json(old.to_json())
    assert new.settings == old.settings and new.steps == 7 and new.epochs_done == 2
    assert new.rows[0] == old.rows[0] and math.isnan(new.rows[1]["val_mask_AP"])


@pytest.mark.parametrize(
    ("of", "best", "figure"),
    [
        (record(0.1, 0.3, 0.3, NAN), (2, 0.3), "val_mask_AP"),
        (record(0.1, 0.3, name="val_box_AP"), (2, 0.3), "val_box_AP"),
        (record(0.1, 0.3, before=5), (7, 0.3), "val_mask_AP"),
        (record(0.0), (1, 0.0), "val_mask_AP"),
    ],
)
def test_the_best_epoch_is_the_first_of_the_highest(of, best, figure):
    assert of.best == best and of.figure == figure


def test_without_ap_no_epoch_is_best():
    for of in (record(), record(NAN, NAN), record(0.5, name="val_loss")):
        assert of.best[0] == 0 and of.figure is None and not of.stopped_early(1)


def test_early_stop_counts_from_the_best_epoch():
    of = record(0.1, 0.3, 0.2, 0.3)
    assert "after epoch 4" in of.stopped_early(2) and "0.300 of epoch 2" in of.stopped_early(2)
    assert of.stopped_early(3) == of.stopped_early(None) == ""


@pytest.mark.parametrize(
    ("epochs", "patience", "words"),
    [
        (12, None, "epochs 3 to 12 to run"),
        (2, None, "nothing to run: 2 epochs are done"),
        (1, None, "nothing to run: 2 epochs are done"),
        (20, None, "epochs 3 to 20 to run; planned were 12, the rate now follows"),
        (12, 1, "nothing to run: stopped early after epoch 2"),
    ],
)
def test_the_outlook_says_what_is_left(epochs, patience, words):
    assert record(0.3, 0.2).outlook(epochs, patience).startswith(words)


def test_history_and_table_have_a_place_for_each_epoch(tmp_path):
    of = Record({}, [{"loss": 2.0}, {"loss": 1.0, "val_loss": 1.5}])
    history = of.history()
    assert history["loss"] == [2.0, 1.0] and math.isnan(history["val_loss"][0])
    (tmp_path / "history.csv").write_text(of.table())
    assert report.read_history(tmp_path / "history.csv")["val_loss"][1] == 1.5
    assert of.table().splitlines() == ["epoch,loss,val_loss", "1,2.0,nan", "2,1.0,1.5"]


def test_the_newest_whole_checkpoint_is_found(tmp_path):
    assert runs.find(tmp_path) == runs.Found(None, [], [])
    assert runs.find(tmp_path / "missing").newest is None
    write(tmp_path / LAST, record(0.1, 0.2))
    write(tmp_path / PREVIOUS, record(0.1))
    write(tmp_path / BEST, record(0.1, 0.2))
    found = runs.find(tmp_path)
    assert found.newest.path.name == LAST and found.newest.record.epochs_done == 2
    assert not found.problems


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text", "no state", "state"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, damage):
    path = write(tmp_path / LAST, record(0.1, 0.2))
    write(tmp_path / PREVIOUS, record(0.1))
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    contents = {"cut": data[:9000], "bit": data, "empty": b"", "text": b"not an archive"}
    if damage in contents:
        path.write_bytes(contents[damage])
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
            if damage == "state":
                archive.writestr(runs.STATE, '{"rows": 3}')
    found = runs.find(tmp_path)
    assert found.newest.path.name == PREVIOUS
    assert len(found.problems) == 1 and str(path) in found.problems[0]
    assert found.problems[0] in found.outlook(tmp_path, True, 12)
    assert "epochs 2 to 12 to run" in found.outlook(tmp_path, True, 12)


def test_where_to_start(tmp_path):
    empty = runs.find(tmp_path)
    for resume in (False, True):
        assert empty.to_start_from(tmp_path, resume) is None
    assert "from the beginning" in empty.outlook(tmp_path, True, 12)
    assert empty.outlook(tmp_path, False, 12) == ""
    write(tmp_path / LAST, record(0.1))
    found = runs.find(tmp_path)
    assert found.to_start_from(tmp_path, True).record.epochs_done == 1
    with pytest.raises(ValueError, match=r"holds a run already \(last\.keras\).*resume"):
        found.to_start_from(tmp_path, False)


@pytest.mark.parametrize("name", [LAST, "history.csv", "model.keras"])
def test_a_run_that_cannot_be_resumed_is_not_begun_anew(tmp_path, name):
    (tmp_path / name).write_text("half")
    with pytest.raises(ValueError, match=f"nothing can be resumed.*{name}"):
        runs.find(tmp_path).to_start_from(tmp_path, True)


def test_differences_are_named_with_both_values():
    then = {"seed": 0, "config": {"mask_size": 28, "nms_iou": 0.5}, "gone": 1}
    now = {"seed": 1, "config": {"mask_size": 14, "nms_iou": 0.5}, "gone": None}
    assert runs.differences(then, now) == [
        "  seed: 0 then, 1 now",
        "  config.mask_size: 28 then, 14 now",
        "  gone: 1 then, none now",
    ]
    assert runs.differences(then, then) == []
