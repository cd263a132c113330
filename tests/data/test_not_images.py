"""Files that are no photograph are told by their first bytes, and never read whole."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kmaskrcnn.data import DataError, read_image
from kmaskrcnn.data.images import READS_ANIMATIONS
from kmaskrcnn.data.not_images import HEAD, what_else
from tests.data.samples import noise_image, write_image

FRAMES = [Image.fromarray(noise_image(20, 30, seed)) for seed in range(3)]
STARTS = {
    "film.mp4": (b"\0\0\0\x1cftypisom\0\0\x02\0isomiso2", "a video"),
    "film.mov": (b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ", "a video"),
    "film.mkv": (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01", "a video"),
    "film.avi": (b"RIFF4\x19\0\0AVI LIST", "a video"),
    "film.wmv": (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9", "a video"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "a HEIC image.*JPEG"),
    "array.npy": (b"\x93NUMPY\x01\0", r"model.predict\(np.load\('.*array.npy'\)\)"),
    "paper.pdf": (b"%PDF-1.4", "pdftoppm"),
    "photos.zip": (b"PK\x03\x04", "Unpack it"),
    "page.jpg": (b"\n<!DOCTYPE html><html>", "a web page"),
    "drawing.svg": (b"<svg xmlns=", "SVG"),
    "train.json": (b'{"images": []}', "annotations are for training"),
    "pointer.png": (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
}


@pytest.mark.parametrize("name", STARTS)
def test_what_it_is_and_what_to_do(tmp_path, name):
    head, message = STARTS[name]
    path = tmp_path / name
    path.write_bytes(head + bytes(1000))
    with pytest.raises(DataError, match=f"{name}: not an image that can be decoded: .*{message}"):
        read_image(path)


def test_a_real_video_says_how_to_take_its_frames(tmp_path):
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (30, 20))
    film.write(noise_image(20, 30))
    film.release()
    with pytest.raises(DataError, match=r"ffmpeg -i .*film\.avi.* cv2\.VideoCapture\('.*film"):
        read_image(path)
    frame = cv2.VideoCapture(str(path)).read()[1][..., ::-1]  # as the sentence says
    assert read_image(frame).shape == (20, 30, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
def test_photographs_are_images(tmp_path, suffix):
    path = write_image(tmp_path / f"a{suffix}")
    assert what_else(path.read_bytes()[:HEAD], path) is None
    assert read_image(path).shape == (20, 30, 3)


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp"])
def test_several_pictures_in_one_file_are_not_one(tmp_path, suffix):
    path = tmp_path / f"several{suffix}"
    FRAMES[0].save(path, save_all=True, append_images=FRAMES[1:])
    if suffix != ".tif" and not READS_ANIMATIONS:
        with pytest.raises(DataError, match=r"which OpenCV reads from 4\.12 on; .* PNG"):
            read_image(path)
        return
    with pytest.raises(DataError, match=r"3 pictures in one file.*ImageSequence"):
        read_image(path)
    assert read_image(path, (20, 30)).shape == (20, 30, 3)  # the annotation says which: the first
    FRAMES[0].save(path)
    assert read_image(path).shape == (20, 30, 3)


def test_a_preview_beside_a_picture_is_no_second_one(tmp_path):
    path = tmp_path / "map.tif"
    FRAMES[0].save(path, save_all=True, append_images=[FRAMES[0].resize((15, 10))])
    np.testing.assert_array_equal(read_image(path), FRAMES[0])


def test_devices_and_files_of_gigabytes_are_not_read(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="/dev/zero: a folder, a device or a pipe"):
        read_image("/dev/zero")
    with pytest.raises(DataError, match="a folder, a device or a pipe"):
        read_image(tmp_path)
    path = write_image(tmp_path / "a.png")
    monkeypatch.setenv("KMASKRCNN_MAX_PIXELS", str(path.stat().st_size // 8 - 1))
    with pytest.raises(DataError, match=r"a\.png: more than .* too much for an image"):
        read_image(path)
