"""Drawing: what must hold of every picture; how it looks is for eyes."""

import tracemalloc

import cv2
import numpy as np
import pytest

from kmaskrcnn.ops import captions, drawing, regions


def grid_boxes(count, side, size):
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 1, (count, 2)) * (np.array(size[::-1]) - side)
    return np.concatenate([corners, corners + side], axis=1).astype(np.float32)


def overlap(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


@pytest.mark.parametrize("side", [14, 60])
def test_fifty_captions_hide_neither_each_other_nor_an_object(side):
    size = (480, 640)
    boxes = grid_boxes(50, side, size)
    image = np.zeros((*size, 3), np.uint8)
    texts = [f"nucleus 0.{i:02d}" for i in range(50)]
    plates = captions.draw_captions(image, boxes, texts, [(255, 0, 0)] * 50, 7)
    placed = [(i, plate) for i, plate in enumerate(plates) if plate is not None]
    assert len(placed) > 25
    for i, plate in placed:
        assert plate[0] >= 0 and plate[1] >= 0 and plate[2] <= 640 and plate[3] <= 480
        assert all(overlap(plate, other) == 0 for j, other in placed if j != i)
        hidden = [overlap(plate, box) / side**2 for j, box in enumerate(boxes) if j != i]
        assert max(hidden) <= 0.5


@pytest.mark.parametrize("height", [6, 9, 16, 40])
def test_capitals_have_the_asked_height(height):
    image = np.zeros((120, 900, 3), np.uint8)
    captions.write(image, "H 0", 10, 20, height, (255, 255, 255))
    rows = np.flatnonzero(image.max(axis=(1, 2)) > 127)
    assert abs(rows[0] - 20) <= 2 and abs(len(rows) - height) <= 2
    columns = np.flatnonzero(image.max(axis=(0, 2)) > 127)
    assert columns[-1] - 10 <= captions.text_width("H 0", height) + 1


def test_small_objects_lie_on_large_ones_whatever_their_order():
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[40, 40, 60, 60], [0, 0, 100, 100]])
    filled = [np.ones((20, 20), bool), np.ones((100, 100), bool)]
    region_of = lambda i: regions.make_region(boxes[i], filled[i])  # noqa: E731
    colors = [(200, 0, 0), (0, 200, 0)]
    picture = drawing.draw_instances(
        image, boxes, region_of=region_of, colors=colors, outline_boxes=False, opacity=0.5
    )
    assert picture[20, 20].tolist() == [0, 100, 0]
    assert picture[50, 50].tolist() == [100, 50, 0]


def test_a_mask_as_large_as_a_photograph_needs_little_more_than_it():
    image = np.zeros((1500, 2000, 3), np.uint8)
    full = regions.make_region((0, 0, 2000, 1500), np.ones((1500, 2000), bool))
    box = np.array([[0, 0, 2000, 1500]])
    tracemalloc.start()
    drawing.draw_instances(image, box, region_of=lambda i: full)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * image.nbytes  # the picture, and the colours under the mask


def test_boxes_and_masks_may_leave_the_image_or_be_empty():
    image = np.zeros((40, 50, 3), np.uint8)
    boxes = np.array([[-20, -20, 90, 90], [10, 10, 10, 10], [70, 70, 90, 90], [49, 0, 50, 40]])
    nothing = regions.make_region((0, 0, 0, 0), np.zeros((0, 0), bool))
    picture = drawing.draw_instances(
        image, boxes, region_of=lambda i: nothing, captions=["a very long caption indeed"] * 4
    )
    assert picture.shape == (40, 50, 3) and not image.any()
    drawing.draw_instances(np.zeros((1, 1, 3), np.uint8), np.array([[0, 0, 1, 1]]), captions=["x"])
    assert not drawing.draw_instances(image, np.zeros((0, 4)), captions=[]).any()


def test_colours_are_stable_and_differ():
    colors = [drawing.color_of(i) for i in range(60)]
    assert colors == [drawing.color_of(i) for i in range(60)] and len(set(colors)) == 60
    assert drawing.colors_of([5, 0, 5], "class") == [colors[5], colors[0], colors[5]]
    assert drawing.colors_of([5, 0, 5], "instance") == colors[:3]


def test_as_rgb_of_every_kind(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert drawing.as_rgb(grey)[..., 1].tolist() == grey.tolist()
    rgba = np.dstack([grey, grey * 2, grey * 3, grey])
    assert drawing.as_rgb(rgba).tolist() == rgba[..., :3].tolist()
    wide = drawing.as_rgb(np.array([[1000, 2000, 3000]], np.uint16))
    assert wide[0, :, 0].tolist() == [0, 128, 255]
    cv2.imwrite(str(tmp_path / "p.png"), rgba[..., 2::-1])
    assert drawing.as_rgb(tmp_path / "p.png").tolist() == rgba[..., :3].tolist()
    for wrong, message in ((tmp_path / "none.png", "no such file"), (np.zeros(3), r"got \(3,\)")):
        with pytest.raises(ValueError, match=message):
            drawing.as_rgb(wrong)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png: not an image"):
        drawing.as_rgb(tmp_path / "text.png")


def test_a_rotated_photograph_is_turned_only_when_the_size_says_so(tmp_path):
    pytest.importorskip("PIL")
    from PIL import Image

    picture = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90°
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert drawing.as_rgb(tmp_path / "turned.jpg").shape == (30, 20, 3)
    assert drawing.as_rgb(tmp_path / "turned.jpg", (30, 20)).shape == (30, 20, 3)
    assert drawing.as_rgb(tmp_path / "turned.jpg", (20, 30)).shape == (20, 30, 3)
    with pytest.raises(ValueError, match=r"expected \(21, 30\)"):
        drawing.as_rgb(tmp_path / "turned.jpg", (21, 30))


def test_contact_sheet():
    images = [np.full((50, 100, 3), 200, np.uint8), np.full((90, 30), 10, np.uint8)] * 3
    sheet = drawing.contact_sheet(images, columns=4, cell_size=(60, 80), gap=4)
    assert sheet.shape == (2 * 64 + 4, 4 * 84 + 4, 3)
    assert sheet[34, 44].tolist() == [200] * 3 and sheet[34, 128].tolist() == [10] * 3
    assert (sheet[70:, 180:] == 250).all()  # the last two cells are empty
    written = drawing.contact_sheet(
        images, ["a name much longer than its cell"] * 6, columns=4, cell_size=(60, 80), gap=4
    )
    assert written.shape[0] > sheet.shape[0] and (written[66:88, 4:84] < 128).any()
    with pytest.raises(ValueError, match="expected 6 captions, one an image, got 1"):
        drawing.contact_sheet(images, ["one"])
    assert drawing.contact_sheet([]).ndim == 3


def test_shorten_keeps_what_fits():
    assert drawing.shorten("deer", 500, 10) == "deer"
    cut = drawing.shorten("photograph of a deer", 80, 10)
    assert cut.endswith("...") and captions.text_width(cut, 10) <= 80


def test_lines_of_small_objects_do_not_cover_them():
    image = np.zeros((1000, 1000, 3), np.uint8)
    boxes = np.array([[100, 100, 120, 110], [300, 300, 900, 900]])
    picture = drawing.draw_instances(image, boxes, colors=[(200, 0, 0), (0, 200, 0)])
    assert (picture[102:108, 102:118] == 0).all() and picture[100, 105, 0] == 200
    assert (picture[300:302, 400:800, 1] == 200).all()
