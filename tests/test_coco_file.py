"""The file that opening is measured with is what it says: sound, and of COCO's kind."""

from pycocotools.coco import COCO

from benchmarks.coco_file import lay_empty_files, write
from benchmarks.open_coco import READERS, open_here
from kmaskrcnn.data.formats.coco import CocoDataset


def test_a_generated_file_is_sound(tmp_path, capsys):
    path = tmp_path / "instances.json"
    write(path, images=9, annotations=2000)
    lay_empty_files(tmp_path / "images", 9)
    dataset, reference = CocoDataset(path), COCO(str(path))
    assert len(dataset) == 9 and dataset.report.total == 0 and len(dataset.class_names) == 80
    instances = [instance for index in range(9) for instance in dataset[index].instances]
    assert len(instances) == len(reference.anns) == 2000
    assert 0 < sum(instance.crowd for instance in instances) < 60
    polygons = [len(p) for i in instances if not i.crowd for p in i.mask]
    assert min(polygons) == 10 and max(polygons) <= 60
    for reader in READERS:
        assert open_here(reader, path)["seconds"] > 0
