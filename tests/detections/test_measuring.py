"""Measurements against shapes whose measures are known, in the image's own frame."""

import cv2
import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, probable


def rotated(kind, centre, sides, degrees, size=(300, 400)):
    """(1, H, W): pixels whose centres lie in a rectangle or ellipse, turned from x towards y."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    angle = np.deg2rad(degrees)
    across = (x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)
    down = -(x - centre[0]) * np.sin(angle) + (y - centre[1]) * np.cos(angle)
    if kind == "ellipse":
        return (np.hypot(across / sides[0], down / sides[1]) <= 0.5)[None]
    return ((abs(across) <= sides[0] / 2) & (abs(down) <= sides[1] / 2))[None]


@pytest.mark.parametrize("degrees", [-60, -20, 0, 35, 80, 90])
def test_a_turned_rectangle(degrees):
    got = of_masks(rotated("rectangle", (210.3, 140.8), (120, 48), degrees)).measure()
    assert got["area"][0] == pytest.approx(120 * 48, rel=0.01)
    assert got["centroid_x"][0] == pytest.approx(210.3, abs=0.31)  # an upright one moves in steps
    assert got["centroid_y"][0] == pytest.approx(140.8, abs=0.31)
    turned = np.rad2deg(got["orientation"][0]) - degrees
    assert abs((turned + 90) % 180 - 90) < 0.5
    assert -90 < np.rad2deg(got["orientation"][0]) <= 90
    assert got["major_axis"][0] == pytest.approx(120 * 2 / np.sqrt(3), rel=0.01)
    assert got["minor_axis"][0] == pytest.approx(48 * 2 / np.sqrt(3), rel=0.02)
    assert got["eccentricity"][0] == pytest.approx(np.sqrt(1 - (48 / 120) ** 2), abs=0.01)
    assert got["perimeter"][0] == pytest.approx(2 * (120 + 48), rel=0.06)
    assert got["solidity"][0] > 0.95


def test_a_turned_ellipse():
    got = of_masks(rotated("ellipse", (150, 120), (160, 80), 30)).measure()
    expected = {
        "area": np.pi * 40 * 80,
        "centroid_x": 150,
        "centroid_y": 120,
        "orientation": np.deg2rad(30),
        "major_axis": 160,
        "minor_axis": 80,
        "eccentricity": np.sqrt(0.75),
    }
    for name, value in expected.items():
        assert got[name][0] == pytest.approx(value, rel=0.01), name
    around = np.pi * (3 * 120 - np.sqrt((3 * 80 + 40) * (80 + 3 * 40)))  # Ramanujan
    assert got["perimeter"][0] == pytest.approx(around, rel=0.005)


def test_one_pixel_lies_at_its_centre():
    mask = np.zeros((1, 20, 30), bool)
    mask[0, 7, 12] = True
    got = of_masks(mask).measure()
    assert (got["centroid_x"][0], got["centroid_y"][0], got["area"][0]) == (12.5, 7.5, 1)


def test_boxes_are_measured_without_masks():
    got = of_boxes([[10, 20, 30, 26]]).measure()
    assert (got["area"][0], got["centroid_x"][0], got["centroid_y"][0]) == (120, 20, 23)
    assert got["orientation"][0] == 0 and got["solidity"][0] == 1


def test_nothing_and_an_empty_mask():
    for nothing in (probable(0), of_boxes([])):
        assert {len(column) for column in nothing.measure().values()} == {0}
    empty = of_masks(np.zeros((1, 20, 30)))
    got = empty.measure(np.zeros((20, 30, 3), np.uint8))
    assert got["area"][0] == 0 and np.isnan(got["centroid_x"][0])
    assert np.isnan(got["mean_intensity"][0]) and np.isnan(got["mean_blue"][0])


def test_intensities_are_the_images_own_values(tmp_path):
    masks = rotated("ellipse", (20, 15), (16, 10), 10, (30, 40))
    found = of_masks(masks)
    image = np.random.default_rng(0).integers(0, 65536, (30, 40, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), image[..., ::-1])
    for given in (image, tmp_path / "deep.png"):
        got = found.measure(given)
        expected = image[masks[0]].mean(axis=0)
        assert [got[f"mean_{c}"][0] for c in ("red", "green", "blue")] == pytest.approx(expected)
        assert got["mean_intensity"][0] == pytest.approx(expected.mean())
    cv2.imwrite(str(tmp_path / "grey.png"), image[..., 0])
    got = found.measure(tmp_path / "grey.png")
    assert got["mean_intensity"][0] == pytest.approx(image[masks[0]][:, 0].mean())
    assert "mean_red" not in got and "mean_intensity" not in found.measure()
    with pytest.raises(ValueError, match=r"expected \(30, 40\).*got \(40, 30\)"):
        found.measure(np.zeros((40, 30)))
