"""Names of pictures and ids of images."""

from pathlib import Path

from kmaskrcnn.commands.predict import image_id, image_sources, picture_names


def test_files_to_predict(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "sub/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = image_sources([tmp_path, tmp_path / "sub"])
    assert [str(f.relative_to(tmp_path)) for f in files] == ["a.jpg", "b.PNG", "sub/a.png"]
    assert list(picture_names(files).values()) == ["a.jpg", "b.jpg", "a-2.jpg"]


def test_image_ids():
    paths = [Path("a/000000000139.jpg"), Path("a/deer.jpg"), Path("b/deer.jpg"), Path("x.png")]
    ids = [image_id(path, paths) for path in paths]
    assert ids == [139, "a/deer.jpg", "b/deer.jpg", "x.png"]
