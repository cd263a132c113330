"""Which images a verb works on: two places, two parts of one, without those that are broken."""

import json
from pathlib import Path

import pytest

from kmaskrcnn.commands import evaluate, train
from kmaskrcnn.data import DataError, ShapesDataset
from tests.coco_folder import write_coco


@pytest.fixture
def shapes(tmp_path):
    """A COCO file of eight pictures."""
    return write_coco(ShapesDataset(8, seed=1, image_size=(64, 64)), tmp_path, "train")


def names(dataset):
    return {dataset[i].name for i in range(len(dataset))}


@pytest.fixture
def evaluated(monkeypatch):
    """Runs ``evaluate`` up to where a model would be asked; gives the dataset."""
    monkeypatch.setattr(evaluate, "model_of", lambda path, precision: None)
    monkeypatch.setattr(evaluate, "measure", lambda model, dataset, **_: {"dataset": dataset})
    return lambda *args, **options: evaluate.run(evaluate.Evaluation(*args, **options))["dataset"]


@pytest.mark.parametrize("seed", [0, 5])
def test_evaluate_takes_the_share_that_training_kept(shapes, evaluated, seed):
    job = train.Training(str(shapes), Path("o"), val_fraction=0.25, seed=seed)
    learned, kept = map(names, train.datasets(job))
    assert len(kept) >= 2 and not learned & kept and len(learned | kept) == 8
    assert names(evaluated(Path("m"), str(shapes), val_fraction=0.25, seed=seed)) == kept
    assert names(evaluated(Path("m"), str(shapes))) == learned | kept


def test_two_places(shapes, tmp_path):
    other = write_coco(ShapesDataset(3, seed=2, image_size=(64, 64)), tmp_path, "val")
    sets = train.datasets(train.Training(str(shapes), Path("o"), val=str(other)))
    assert [len(dataset) for dataset in sets] == [8, 3]


def test_broken_images_are_left_out_when_asked(shapes, evaluated):
    image = json.loads(shapes.read_text())["images"][3]["file_name"]
    next(shapes.parent.rglob(Path(image).name)).unlink()
    job = train.Training(str(shapes), Path("o"), val_fraction=0.25, skip_broken=True)
    assert sum(map(len, train.datasets(job))) == 7
    assert len(evaluated(Path("m"), str(shapes), skip_broken=True)) == 7
    with pytest.raises(DataError, match=Path(image).name):
        train.datasets(train.Training(str(shapes), Path("o"), val_fraction=0.25))


def test_data_are_joined_and_classes_renamed(shapes, tmp_path, evaluated):
    other = str(write_coco(ShapesDataset(3, seed=2, image_size=(64, 64)), tmp_path, "other"))
    more = {"add": (other,), "rename": ("circle=round", "square=angular", "triangle=angular")}
    job = train.Training(str(shapes), Path("o"), val=other, repeat_factor=1.0, **more)
    learned, validated = train.datasets(job)
    assert len(learned) == 11 and learned.class_names == validated.class_names
    assert set(learned.class_names) == {"round", "angular"}
    assert "rare classes repeated" in learned.description and min(learned.repeats) >= 1
    job = train.Training(str(shapes), Path("o"), val_fraction=0.2, **more)
    learned, kept = train.datasets(job)
    assert names(evaluated(Path("m"), str(shapes), val_fraction=0.2, **more)) == names(kept)
    with pytest.raises(DataError, match="no class 'cirle' .* did you mean 'circle'"):
        train.datasets(train.Training(str(shapes), Path("o"), val=other, rename=("cirle=a",)))
