import numpy as np
import pytest

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights import keep_known_classes

OLD = ("cat", "dog", "cow")
NEW = ("dog", "kiwi", "cat", "emu")
KEPT = {0: 1, 2: 0}  # row of the new model -> row of the checkpoint


def heads(count, sign, masks=None, box_parts=("box_head",)):
    """Heads of a number of classes whose outputs say which they are: 10 · class + place."""
    outputs = {f"{part}/logits": 10.0 * np.arange(count + 1) for part in box_parts}
    for part in box_parts:
        outputs[f"{part}/deltas"] = (10 * np.arange(count)[:, None] + np.arange(4.0)).ravel()
    outputs["mask_head/logits"] = 10.0 * np.arange(count if masks is None else masks)
    arrays = {"box_head/dense1/kernel": np.full((2, 2), float(sign))}
    for layer, values in outputs.items():
        arrays[f"{layer}/bias"] = sign * (values + 1)
        arrays[f"{layer}/kernel"] = sign * np.tile(values + 1, (2, 1))
    return arrays


def moved(old, new, config=None, **fields):
    return keep_known_classes(old, OLD, NEW, new, config or MaskRCNNConfig(**fields))


def test_classes_of_the_same_name_keep_their_outputs():
    got = moved(heads(3, 1), heads(4, -1)).arrays
    assert got["box_head/logits/bias"].tolist() == [11, -11, 1, -31, 31]  # the last: background
    assert got["mask_head/logits/bias"].tolist() == [11, -11, 1, -31]
    deltas = [11, 12, 13, 14, -11, -12, -13, -14, 1, 2, 3, 4, -31, -32, -33, -34]
    assert got["box_head/deltas/bias"].tolist() == deltas
    for layer in ("box_head/logits", "box_head/deltas", "mask_head/logits"):
        np.testing.assert_array_equal(
            got[f"{layer}/kernel"], np.tile(got[f"{layer}/bias"], (2, 1)), strict=True
        )
    assert got["box_head/dense1/kernel"].tolist() == [[1, 1], [1, 1]]


def test_nothing_is_changed_in_place():
    old, new = heads(3, 1), heads(4, -1)
    moved(old, new)
    for arrays, again in ((old, heads(3, 1)), (new, heads(4, -1))):
        for name, array in again.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_the_report():
    report = moved(heads(3, 1), heads(4, -1))
    assert report.kept == ("dog", "cat") and report.fresh == ("kiwi", "emu")
    assert str(report).splitlines() == [
        "classes kept from the checkpoint: dog, cat",
        "classes that start anew: kiwi, emu",
    ]


def test_no_class_in_common():
    report = keep_known_classes(heads(3, 1), OLD, ("emu", "kiwi"), heads(2, -1), MaskRCNNConfig())
    assert report.arrays["box_head/logits/bias"].tolist() == [-1, -11, 31]
    assert "kept from the checkpoint: none" in report.text


def test_the_same_classes_in_another_order():
    report = keep_known_classes(heads(3, 1), OLD, OLD[::-1], heads(3, -1), MaskRCNNConfig())
    assert report.arrays["mask_head/logits/bias"].tolist() == [21, 11, 1]
    assert report.fresh == () and len(report.text.splitlines()) == 1


def test_a_cascade():
    parts = ("box_head_1", "box_head_2", "box_head_3")
    got = moved(heads(3, 1, box_parts=parts), heads(4, -1, box_parts=parts)).arrays
    for part in parts:
        assert got[f"{part}/logits/bias"].tolist() == [11, -11, 1, -31, 31]


def test_one_box_and_one_mask_for_all_classes_stay():
    old, new = heads(3, 1, masks=1), heads(4, -1, masks=1)
    for arrays in (old, new):
        arrays["box_head/deltas/bias"] = arrays["box_head/deltas/bias"][:4]
        arrays["box_head/deltas/kernel"] = arrays["box_head/deltas/kernel"][:, :4]
    got = moved(old, new, class_agnostic_boxes=True, class_agnostic_masks=True).arrays
    assert got["box_head/deltas/bias"].tolist() == [1, 2, 3, 4]
    assert got["mask_head/logits/bias"].tolist() == [1]
    assert got["box_head/logits/bias"].tolist() == [11, -11, 1, -31, 31]


def test_masks_that_compete_with_a_background():
    got = moved(heads(3, 1, masks=4), heads(4, -1, masks=5), mask_activation="softmax").arrays
    assert got["mask_head/logits/bias"].tolist() == [11, -11, 1, -31, 31]


def test_masks_of_dense_layers_pixel_by_pixel():
    config = MaskRCNNConfig(mask_head="mlp", mask_size=4)
    old = {"mask_head/logits/bias": np.arange(16 * 3)}
    new = {"mask_head/logits/bias": -np.arange(16 * 4)}
    got = moved(old, new, config).arrays["mask_head/logits/bias"].reshape(16, 4)
    np.testing.assert_array_equal(got[:, 0], np.arange(16) * 3 + 1)
    np.testing.assert_array_equal(got[:, 1], -(np.arange(16) * 4 + 1))
    np.testing.assert_array_equal(got[:, 2], np.arange(16) * 3)


@pytest.mark.parametrize("count, stays", [(17, True), (5, False)])
def test_keypoints_stay_if_there_are_as_many(count, stays):
    def keypoints(number, value):
        return {
            "keypoint_head/deconv/kernel": np.full((4, 4, number, 2), value),
            "keypoint_head/deconv/bias": np.full(number, value),
            "keypoint_head/conv1/bias": np.full(2, value),
        }

    report = moved(keypoints(17, 1), keypoints(count, -1))
    assert report.arrays["keypoint_head/deconv/bias"].tolist() == [1 if stays else -1] * count
    assert report.arrays["keypoint_head/conv1/bias"].tolist() == [1, 1]
    names = "keypoint_head/deconv/bias, keypoint_head/deconv/kernel"
    assert (f"layers that start anew: {names}" in report.text) == (not stays)


def test_other_counts_than_the_names_say():
    message = r"box_head/logits/\w+ has shape .* for 3 classes and .* for 4: expected 1 outputs"
    with pytest.raises(ValueError, match=message):
        moved({"box_head/logits/bias": np.zeros(9)}, {"box_head/logits/bias": np.zeros(5)})
