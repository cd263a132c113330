"""Images of every kind become RGB bytes; the broken ones say what is wrong."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from kmaskrcnn.data import DataError, read_image
from kmaskrcnn.data import images as images_module
from kmaskrcnn.data.formats.files import read_png
from kmaskrcnn.data.headers import declared_size, is_cut_off, read_size, turn_of, upright_size
from tests.data.samples import noise_image, write_image


def exif_jpeg(path, pixels, orientation):
    """A JPEG whose EXIF says how to turn it."""
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\x00" + struct.pack("<IH", 8, 1) + tag + struct.pack("<I", 0)
    segment = b"Exif\x00\x00" + tiff
    path.write_bytes(
        data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    )
    return path


def test_colours_are_red_green_blue(tmp_path):
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "red.png"), red)
    np.testing.assert_array_equal(read_image(tmp_path / "red.png")[0, 0], [255, 0, 0])


def test_grey_is_repeated(tmp_path):
    grey = noise_image(6, 7)[..., 0]
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    for image in (tmp_path / "grey.png", grey, grey[..., None]):
        pixels = read_image(image)
        assert pixels.shape == (6, 7, 3) and pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("suffix", ["tif", "bmp", "gif", "ppm", "jp2", "jpg", "png"])
def test_the_size_of_any_header(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise_image(20, 30)).save(path)
    data = path.read_bytes()
    assert declared_size(data) == (20, 30)
    assert declared_size(data[:9]) is None and declared_size(b"what else") is None


def test_a_png_is_not_decoded_for_its_turn(tmp_path, monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, size in (("a.png", (30, 20)), ("a.jpg", (30, 20)), ("a.tif", None)):
        Image.fromarray(noise_image(20, 30)).save(tmp_path / name, exif=exif)
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # is not asked
        assert turn_of(tmp_path / name) == 6 and upright_size(tmp_path / name) == size
        monkeypatch.undo()
    assert turn_of(tmp_path / "gone") == 1 and upright_size(tmp_path / "gone") is None


def test_a_gigantic_tiff_is_refused_by_its_header(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    Image.fromarray(noise_image(20, 30)).save(path)
    monkeypatch.setenv("KMASKRCNN_MAX_PIXELS", "599")
    monkeypatch.setattr(images_module.cv2, "imdecode", None)  # is not asked
    for read in (read_image, read_png):
        with pytest.raises(DataError, match="20×30 pixels, more than"):
            read(path)


def test_another_size_is_told_by_the_header(tmp_path, monkeypatch):
    """A small file that unpacks to a gigabyte is not unpacked where the annotation says 20×30."""
    path = write_image(tmp_path / "a.png", 40, 60)
    monkeypatch.setattr(images_module.cv2, "imdecode", None)  # is not asked
    with pytest.raises(DataError, match="is 40×60 .* its annotation says 20×30"):
        read_image(path, (20, 30))


def test_sixteen_bits_are_scaled_by_the_range_of_the_type(tmp_path):
    values = np.array([[0, 257, 65535, 400]], np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), values)
    for image in (tmp_path / "deep.png", values):
        np.testing.assert_array_equal(read_image(image)[0, :, 0], [0, 1, 255, 2])


def test_alpha_is_dropped(tmp_path):
    rgb = noise_image(6, 7)
    rgba = np.dstack([rgb, np.full((6, 7), 9, np.uint8)])
    cv2.imwrite(str(tmp_path / "a.png"), rgba)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), rgb[..., ::-1])
    np.testing.assert_array_equal(read_image(rgba), rgb)


def test_palettes_are_looked_up(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_image(tmp_path / "p.png"), [[[10, 20, 30], [200, 100, 50]]])


def test_floats_from_0_to_1():
    np.testing.assert_array_equal(read_image(np.array([[0, 0.5, 1.0]]))[0, :, 0], [0, 128, 255])


UNUSABLE = {
    "floats to 255": (np.full((4, 4, 3), 80.0), "float64 with values 80.0"),
    "int64": (np.full((4, 4), 80), "int64 with values 80"),
    "two channels": (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
    "a batch": (np.zeros((1, 4, 4, 3), np.uint8), r"shape \(1, 4, 4, 3\)"),
    "channels first": (np.zeros((3, 4, 5), np.uint8), r"use \.transpose\(1, 2, 0\)"),
    "empty": (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
    "NaN": (np.full((4, 4), np.nan), "float64 with values nan"),
}


@pytest.mark.parametrize("image, message", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_arrays_are_refused(image, message):
    with pytest.raises(DataError, match=message):
        read_image(image)


@pytest.mark.parametrize("orientation", [6, 8])
def test_exif_is_applied_if_and_only_if_the_annotation_says_so(tmp_path, orientation):
    path = exif_jpeg(tmp_path / "turned.jpg", noise_image(40, 60), orientation)
    stored, turned = read_image(path, (40, 60)), read_image(path, (60, 40))
    quarter_turns = -1 if orientation == 6 else 1
    np.testing.assert_array_equal(turned, np.rot90(stored, quarter_turns))
    np.testing.assert_array_equal(read_image(path), turned)


def test_another_size_than_annotated(tmp_path):
    path = write_image(tmp_path / "a.png", 20, 30)
    with pytest.raises(DataError, match=r"a\.png is 20×30 .*annotation says 30×20"):
        read_image(path, (30, 20))
    with pytest.raises(DataError, match=r"image 7 is 20×30 .*annotation says 21×30"):
        read_image(noise_image(20, 30), (21, 30), "image 7")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.jpg: the image cannot be read \(No such file"):
        read_image(tmp_path / "gone.jpg")


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_files_that_are_cut_off(tmp_path, suffix):
    path = write_image(tmp_path / f"a{suffix}", 200, 300)
    whole = path.read_bytes()
    assert not is_cut_off(whole) and read_size(whole) == (200, 300)
    for share in (0.02, 0.5, 0.98):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError, match="the file is cut off after"):
            read_image(path)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photograph(tmp_path):
    """A thumbnail in the EXIF segment brings its own end-of-image marker."""
    whole = write_image(tmp_path / "a.jpg", 200, 300).read_bytes()
    thumbnail = b"\xff\xe1" + struct.pack(">H", 12) + b"Exif\x00\x00\xff\xd9\x00\x00"
    data = whole[:2] + thumbnail + whole[2:]
    assert not is_cut_off(data) and read_size(data) == (200, 300)
    for share in (0.02, 0.9):
        assert is_cut_off(data[: int(len(data) * share)])


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a", b"\x89PNG\r\n\x1a\nIEND"])
def test_files_that_are_no_images(tmp_path, data):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(
        DataError, match=r"a\.png: (not an image|a GIF|the file is cut off|the image cannot)"
    ):
        read_image(path)


def test_a_gif_without_a_reader_of_gifs(tmp_path, monkeypatch):
    monkeypatch.setattr(images_module, "READS_ANIMATIONS", False)
    (tmp_path / "a.gif").write_bytes(b"GIF89a\x1e\0\x14\0, and then nothing")
    with pytest.raises(DataError, match=r"a\.gif: a GIF or .*, which OpenCV reads from 4\.12 on"):
        read_image(tmp_path / "a.gif")


def test_sixteen_bits_are_rounded_to_eight():
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    expected = (values.astype(int) + 128) // 257
    for image in (values, values[..., None], np.dstack([values] * 4)):
        np.testing.assert_array_equal(read_image(image)[..., 0], expected)


def test_gigantic_images_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = write_image(tmp_path / "a.png", 20, 30)
    monkeypatch.setenv("KMASKRCNN_MAX_PIXELS", "599")
    for read in (read_image, read_png):
        with pytest.raises(DataError, match="20×30 pixels, more than .* set KMASKRCNN_MAX_PIXELS"):
            read(path)
    monkeypatch.delenv("KMASKRCNN_MAX_PIXELS")
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 60_000, 50_000)
    path.write_bytes(header)
    with pytest.raises(DataError, match="50000×60000 pixels"):
        read_image(path)
