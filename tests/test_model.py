"""The model as a whole, on the smallest preset: training, predicting, keeping, and bad input."""

import dataclasses
import json
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn import data
from kmaskrcnn.layers import ImageNormalization
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.training import NonFiniteLossError
from tests.limits import file_size_limit

LOSSES = ("loss", "rpn_class_loss", "rpn_box_loss", "class_loss", "box_loss", "mask_loss")


@pytest.fixture
def shapes():
    return data.ShapesDataset(4, seed=0, image_size=(64, 64))


def tiny(**config):
    random.seed(0)  # from which Keras draws the seeds of its initializers
    return MaskRCNN.from_preset("tiny", ["circle", "square", "triangle"], **config)


def eager(**config):
    """A model that finds something although it has learned nothing."""
    return tiny(score_threshold=0.0, **config)


def count_calls(monkeypatch, name):
    """A list that grows with each call of a method of the model."""
    calls, method = [], getattr(MaskRCNN, name)
    monkeypatch.setattr(MaskRCNN, name, lambda *args: calls.append(name) or method(*args))
    return calls


def batch_of(dataset):
    return next(iter(data.batches(dataset, data.InputSize(64, 128), data.Order(batch_size=2))))


def test_outputs_are_padded_and_named(shapes, roi_align_implementation):
    inputs, targets = batch_of(shapes)
    model = eager()
    outputs = model(inputs)
    assert {k: tuple(v.shape) for k, v in outputs.items()} == {
        "boxes": (2, 10, 4),
        "scores": (2, 10),
        "labels": (2, 10),
        "masks": (2, 10, 28, 28),
    }
    named = model(inputs, targets=targets, training=True)
    assert tuple(named) == LOSSES[1:]
    assert all(np.isfinite(loss) for loss in named.values())


@pytest.mark.parametrize("mask_size", [14, 56])
def test_the_side_of_masks_is_a_switch(shapes, mask_size):
    outputs = eager(mask_size=mask_size)(batch_of(shapes)[0])
    assert outputs["masks"].shape[2:] == (mask_size, mask_size)


def test_faster_rcnn_alone(shapes, eagerly):
    model = eager(with_masks=False)
    inputs, targets = batch_of(shapes)
    assert "masks" not in model(inputs)
    assert "mask_loss" not in model(inputs, targets=targets)
    assert model.predict(shapes[0].image)[0].mask_probabilities is None
    model.fit(shapes, shapes, epochs=1, verbose=0)


def test_padding_of_the_batch_is_not_seen(shapes):
    """Losses and detections come from an image's own pixels, whatever stands in the padding."""
    inputs, _ = batch_of(shapes)
    model = eager()
    padded = np.pad(inputs["images"].numpy(), [(0, 0), (0, 32), (0, 32), (0, 0)])
    noisy = np.pad(inputs["images"].numpy(), [(0, 0), (0, 32), (0, 32), (0, 0)], mode="edge")
    first = model({**inputs, "images": tf.constant(padded)})
    second = model({**inputs, "images": tf.constant(noisy)})
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_geometry_keeps_float32_under_mixed_precision():
    """1332.7 becomes 1333.0 where Keras casts: no layer with boxes or sizes may let it."""
    model = tiny(dtype="mixed_float16")
    box = model.box_branch
    for layer in (model, model.normalization, model.proposals, box.pooling, box.detection):
        assert not layer.autocast, layer.name
    normal = ImageNormalization((0, 0, 0), (1, 1, 1), dtype="mixed_float16")
    sizes = tf.constant([[1.0, 1332.7]])
    images = np.ones((1, 1, 1344, 3), np.uint8)
    assert int(tf.reduce_sum(normal(images, sizes)[0])) == 3 * 1332
    boxes = tf.constant([[[0.0, 0.0, 1332.7, 40.3]]])
    decoded = model.proposals(
        [tf.ones([1, 1])],
        [tf.zeros([1, 1, 4])],
        [boxes[0]],
        tf.constant([[0.0, 0.0, 1400.0, 50.0]]),
    )
    np.testing.assert_allclose(decoded.boxes[0, 0], boxes[0, 0], rtol=1e-6)


def test_the_stem_keeps_float32_under_mixed_precision():
    """A kernel of 16 bits shifts the features of a bright area: 0.5 points of AP."""
    stages = tiny(dtype="mixed_bfloat16").backbone.stages
    assert {layer.compute_dtype for layer in stages["stem"]} == {"float32"}
    assert {layer.compute_dtype for layer in stages["C2"]} == {"bfloat16"}
    for dtype in ("float32", "mixed_bfloat16"):
        model = tiny(dtype=dtype)
        images = np.full((1, 32, 32, 3), 250, np.uint8)
        normalised, _ = model.normalization(images, tf.constant([[32.0, 32.0]]))
        assert normalised.dtype == tf.float32


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns(shapes, policy):
    model = tiny(dtype=policy)
    before = model.rpn_head.convs[0].kernel.numpy().copy()
    history = model.fit(shapes, epochs=2, batch_size=2, learning_rate=0.01, verbose=0).history
    assert all(np.isfinite(history["loss"]))
    assert np.abs(model.rpn_head.convs[0].kernel.numpy() - before).max() > 1e-6
    assert keras.config.dtype_policy().name == "float32"


def test_fit_logs_losses_their_twins_and_ap(shapes, tmp_path, monkeypatch):
    traced = count_calls(monkeypatch, "train_step")
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            str(tmp_path / "best.keras"), monitor="val_mask_AP", mode="max", save_best_only=True
        ),
        keras.callbacks.EarlyStopping("val_loss", patience=5),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.BackupAndRestore(str(tmp_path / "backup")),
        kmaskrcnn.ValidationPictures(shapes, tmp_path / "pictures", limit=2),
    ]
    history = tiny().fit(shapes, shapes, epochs=2, verbose=0, callbacks=callbacks).history
    assert len(traced) == 1  # to build the optimizer inside of the graph would take a second time
    keys = {*LOSSES, *(f"val_{name}" for name in LOSSES), "val_box_AP", "val_mask_AP50"}
    assert keys <= set(history)
    total = sum(history[name][0] for name in LOSSES[1:])
    assert history["loss"][0] == pytest.approx(total, rel=1e-4)
    assert kmaskrcnn.load(tmp_path / "best.keras").class_names == ("circle", "square", "triangle")
    assert len(list((tmp_path / "pictures").glob("epoch_*.jpg"))) == 2
    assert "val_mask_AP" in (tmp_path / "log.csv").read_text()


def test_same_seed_same_losses(shapes):
    model = tiny()
    model.compile(keras.optimizers.SGD(0.01))  # stays, and so does the traced step
    start, runs = model.get_weights(), []
    for seed in (3, 3, 4):
        model.set_weights(start)
        runs.append(model.fit(shapes, epochs=2, verbose=0, seed=seed).history["loss"])
    assert runs[0] == runs[1] != runs[2]


def test_fit_takes_batches_and_a_compiled_optimizer(shapes, eagerly):
    model = tiny()
    model.compile(keras.optimizers.AdamW(1e-3))
    batches = data.batches(shapes, data.InputSize(64, 128), data.Order(batch_size=2))
    history = model.fit(batches, validation_data=batches, epochs=2, verbose=0).history
    assert "val_loss" in history and "val_mask_AP" not in history
    assert isinstance(model.optimizer, keras.optimizers.AdamW)


def test_images_without_objects_and_crowds_are_trained_on(eagerly):
    image = np.full((64, 64, 3), 90, np.uint8)
    crowd = data.Instance(0, box=(0, 0, 60, 60), crowd=True)
    dataset = Listed([data.Sample(image), data.Sample(image, [crowd])])
    history = tiny().fit(with_object(dataset), epochs=2, verbose=0).history
    assert all(np.isfinite(history["loss"]))


def test_a_crowd_region_makes_no_negatives():
    image = np.full((64, 64, 3), 90, np.uint8)
    everywhere = data.Instance(0, box=(0, 0, 64, 64), crowd=True)
    inputs, targets = batch_of(Listed([data.Sample(image, [everywhere])]))
    model = tiny()
    anchors = tf.concat(model.anchors(model.neck(model.backbone(tf.zeros([1, 64, 64, 3])))), 0)
    sampled = model.anchor_sampler(anchors, targets)
    chosen = sampled.indices[sampled.labels >= 0].numpy()
    inside = np.all((anchors >= 0) & (anchors <= 64), axis=1)
    assert np.any(inside) and len(chosen) and not np.any(inside[chosen])


def test_a_loss_that_is_not_finite_stops_and_names_the_images(shapes):
    model = tiny()
    model.instance_branches[0].head.logits.bias.assign([np.nan] * 3)
    with pytest.raises(NonFiniteLossError, match=r"mask_loss nan.*images \["):
        model.fit(shapes, epochs=1, verbose=0)


def test_classes_that_do_not_fit_are_shown_side_by_side(shapes):
    model = MaskRCNN.from_preset("tiny", ["circle", "square"])
    for action in (lambda: model.fit(shapes, epochs=1), lambda: model.evaluate(shapes)):
        with pytest.raises(data.DataError, match="triangle"):
            action()


@pytest.mark.parametrize("names", [[], "circle", ["a", "a"], [1, 2]])
def test_class_names_are_checked(names):
    with pytest.raises(ValueError, match="class_names"):
        MaskRCNN.from_preset("tiny", names)


def test_saved_and_loaded_predicts_the_same_and_trains_on(shapes, tmp_path, eagerly):
    model = eager(detections_per_image=7)
    model.freeze("C2")
    model.fit(shapes, epochs=1, verbose=0)
    model.save(tmp_path / "m.keras")
    for loaded in (
        kmaskrcnn.load(tmp_path / "m.keras"),
        keras.saving.load_model(tmp_path / "m.keras"),
    ):
        for before, after in zip(
            model.predict([s.image for s in shapes]),
            loaded.predict([s.image for s in shapes]),
            strict=True,
        ):
            assert len(before)
            for name in ("boxes", "scores", "labels", "mask_probabilities"):
                np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
        assert loaded.config == model.config and loaded.frozen == ("stem", "C2")
        assert loaded.optimizer.iterations == model.optimizer.iterations == 2
        loaded.fit(shapes, epochs=2, initial_epoch=1, verbose=0)
        assert loaded.optimizer.iterations == 4


def test_a_new_process_predicts_the_same(shapes, tmp_path):
    model = eager()
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "image.npy", shapes[0].image)
    program = (
        "import sys, numpy, kmaskrcnn; folder = sys.argv[1]\n"
        "model = kmaskrcnn.load(folder + '/m.keras')\n"
        "found = model.predict(numpy.load(folder + '/image.npy'))[0]\n"
        "numpy.savez(folder + '/found.npz', boxes=found.boxes, scores=found.scores,\n"
        "            masks=found.mask_probabilities)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
    found = model.predict(shapes[0].image)[0]
    with np.load(tmp_path / "found.npz") as other:
        np.testing.assert_array_equal(other["boxes"], found.boxes)
        np.testing.assert_array_equal(other["scores"], found.scores)
        np.testing.assert_array_equal(other["masks"], found.mask_probabilities)


def test_a_training_that_goes_on_ends_where_an_unbroken_one_ends(shapes, tmp_path, eagerly):
    optimizer = {"epochs": 2, "verbose": 0, "learning_rate": 0.01}
    whole = tiny()
    unbroken = whole.fit(shapes, **optimizer).history["loss"]

    class StopAfterOne(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    half = tiny()
    half.fit(shapes, callbacks=[StopAfterOne()], **optimizer)
    half.save(tmp_path / "half.keras")
    resumed = kmaskrcnn.load(tmp_path / "half.keras")
    history = resumed.fit(shapes, initial_epoch=1, **optimizer).history["loss"]
    assert len(history) == 1
    assert history[0] == pytest.approx(unbroken[1], rel=1e-5)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a model"])
def test_a_broken_model_file_is_named(tmp_path, content):
    path = tmp_path / "broken.keras"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.keras"):
        kmaskrcnn.load(path)
    with pytest.raises(ValueError, match=r"missing\.keras"):
        kmaskrcnn.load(tmp_path / "missing.keras")


def test_a_model_is_saved_whole_or_not_at_all(tmp_path):
    path = tmp_path / "m.keras"
    model = tiny()
    model.save(path)
    whole = path.read_bytes()
    for wrong in ({"filepath": tmp_path / "m.h5"}, {"filepath": path, "overwrite": False}):
        with pytest.raises(ValueError, match=r"m\."):
            model.save(**wrong)
    with file_size_limit(100_000), pytest.raises(OSError, match=r"m\.keras: cannot be written"):
        model.save(path)
    assert path.read_bytes() == whole and list(tmp_path.iterdir()) == [path]


def test_config_survives_with_every_field_off_its_default(tmp_path):
    model = MaskRCNN.from_preset("tiny", ["a"], nms_iou=0.3, mask_size=14, aspect_ratios=(1, 3))
    again = MaskRCNN.from_config(json.loads(json.dumps(model.get_config())))
    assert again.config == model.config and again.class_names == ("a",)
    assert again.box_branch.detection.iou_threshold == 0.3 and again.anchors.ratios == (1, 3)
    assert dataclasses.asdict(again.config) == dataclasses.asdict(model.config)


def test_freezing_stages():
    model = tiny()
    everything = len(model.trainable_variables)
    model.freeze("C2")
    assert model.frozen == ("stem", "C2") and len(model.trainable_variables) < everything
    model.unfreeze("heads")
    names = {v.path.split("/")[1] for v in model.trainable_variables}
    assert not any(name.startswith(("stem", "res")) for name in names)
    assert not any(layer.trainable_variables for layer in model.backbone.layers)
    model.unfreeze("4+")
    assert model.frozen == ("stem", "C2", "C3")
    model.unfreeze("all")
    assert len(model.trainable_variables) == everything
    for wrong in (lambda: model.freeze("C6"), lambda: model.unfreeze("2+")):
        with pytest.raises(ValueError, match="C5|5\\+"):
            wrong()


def test_frozen_stages_do_not_move(shapes, eagerly):
    model = tiny()
    model.freeze("C3")
    frozen = [v.numpy() for stage in ("stem", "C2", "C3") for v in weights_of(model, stage)]
    free = [v.numpy() for v in weights_of(model, "C4")]
    model.fit(shapes, epochs=1, learning_rate=0.05, verbose=0)
    after = [v.numpy() for stage in ("stem", "C2", "C3") for v in weights_of(model, stage)]
    assert all(np.array_equal(a, b) for a, b in zip(frozen, after, strict=True))
    assert any(
        not np.array_equal(a, b.numpy()) for a, b in zip(free, weights_of(model, "C4"), strict=True)
    )


def weights_of(model, stage):
    return [v for layer in model.backbone.stages[stage] for v in layer.variables]


def test_evaluate_gives_losses_and_coco_figures(shapes, eagerly):
    model = eager()
    figures = model.evaluate(shapes, verbose=0)
    again = model.evaluate(shapes, verbose=0, metrics=("coco", "voc"))
    assert {"voc_box/AP50", "voc_mask/AP50/circle"} <= set(again) - set(figures)
    assert {k: v for k, v in figures.items() if v == v} == {
        k: again[k] for k in figures if again[k] == again[k]
    }
    assert {"loss", "mask_loss", "box/AP", "mask/AP50", "mask/AP/circle"} <= set(figures)


def test_summary_reads_well(capsys):
    tiny().summary()
    text = capsys.readouterr().out
    for part in ("backbone", "fpn", "rpn_head", "box_branch", "mask_branch", "Total params"):
        assert part in text


class Listed:
    """A dataset of the samples it is given."""

    class_names = ("circle", "square", "triangle")

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


def with_object(dataset):
    """The dataset and one image with an object: a training without any object is an error."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[10:40, 10:40] = 200
    mask = image[..., 0] > 0
    return Listed([*dataset.samples, data.Sample(image, [data.Instance(1, mask=mask)])])
