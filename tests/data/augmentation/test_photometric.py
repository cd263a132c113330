"""Colours: each switch against its formula, one rounding, and nothing moved."""

import numpy as np
from skimage.color import rgb2yiq

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.photometric import LUMA, color_matrix, recolour
from tests.data.samples import noise_image

IMAGE = noise_image(40, 50)
PLAIN = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


def through(image, **changes):
    matrix = color_matrix(image, **{**PLAIN, **changes})
    return image @ matrix[:, :3].T + matrix[:, 3]


def test_factors_of_one_change_nothing():
    np.testing.assert_allclose(through(IMAGE), IMAGE, atol=1e-9)


def test_each_switch_follows_its_formula():
    pixels = IMAGE.astype(float)
    grey = pixels @ LUMA
    np.testing.assert_allclose(through(IMAGE, brightness=1.2), 1.2 * pixels, atol=1e-9)
    expected = grey.mean() + 0.5 * (pixels - grey.mean())
    np.testing.assert_allclose(through(IMAGE, contrast=0.5), expected, atol=1e-9)
    expected = grey[..., None] + 1.5 * (pixels - grey[..., None])
    np.testing.assert_allclose(through(IMAGE, saturation=1.5), expected, atol=1e-9)


def test_another_hue_keeps_the_luma_and_turns_the_colour():
    seen = through(IMAGE, hue=120.0)
    np.testing.assert_allclose(seen @ LUMA, IMAGE @ LUMA)
    before, after = (rgb2yiq(pixels / 255)[..., 1:] @ [1, 1j] for pixels in (IMAGE, seen))
    colourful = np.abs(before) > 0.05
    np.testing.assert_allclose(np.abs(after), np.abs(before), atol=1e-3)
    turned = np.degrees(np.angle(after / before))[colourful]
    np.testing.assert_allclose(turned, 120, atol=0.2)


def test_the_order_is_brightness_then_contrast_then_saturation_then_hue():
    step = IMAGE
    for change in ({"brightness": 0.9}, {"contrast": 1.3}, {"saturation": 0.6}, {"hue": 40.0}):
        factors = {**PLAIN, **change}
        matrix = color_matrix(np.round(step).astype(np.uint8), **factors)
        step = step @ matrix[:, :3].T + matrix[:, 3]
    together = through(IMAGE, brightness=0.9, contrast=1.3, saturation=0.6, hue=40.0)
    np.testing.assert_allclose(together, step, atol=0.3)  # of the mean grey, rounded between


def test_rounded_and_clipped_once():
    augmentation = Augmentation(brightness=1.0, hue=90.0, contrast=1.0, color_share=1.0)
    rng = np.random.default_rng(0)
    seen = [recolour(IMAGE, augmentation, rng) for _ in range(30)]
    assert all(image.dtype == np.uint8 and image.shape == IMAGE.shape for image in seen)
    assert any((image == 255).any() for image in seen)
    brightness, contrast, saturation, hue = (np.random.default_rng(0).random(8)[4:] * 2 - 1) * [
        1.0,
        1.0,
        0.0,
        90.0,
    ]
    matrix = color_matrix(IMAGE, 1 + brightness, 1 + contrast, 1 + saturation, hue)
    exact = np.clip(IMAGE @ matrix[:, :3].T + matrix[:, 3], 0, 255)
    assert np.abs(seen[0] - exact).max() <= 0.501


def test_a_share_of_the_images_and_none_by_default():
    assert recolour(IMAGE, Augmentation(), np.random.default_rng(0)) is IMAGE
    rng = np.random.default_rng(0)
    same = [
        np.array_equal(recolour(IMAGE, Augmentation(brightness=0.5, color_share=0.25), rng), IMAGE)
        for _ in range(200)
    ]
    assert 0.65 < np.mean(same) < 0.85
