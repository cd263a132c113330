"""MaskRCNN: the doors to the network: fit, predict, evaluate, freeze, save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn import data, memory, presets, pretrained, provenance, resuming, training
from kmaskrcnn import weights as weight_maps
from kmaskrcnn.backbones import stages_up_to
from kmaskrcnn.blank import blank
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.detector import Detector
from kmaskrcnn.files import atomic
from kmaskrcnn.pace import Pace, PaceFigures

TRAINING_KNOBS = ("min_size", "max_size", "rois_per_image")  # what its memory grows with


@keras.saving.register_keras_serializable("kmaskrcnn")
class MaskRCNN(Detector):
    """Mask R-CNN (He et al. 2017, arXiv:1703.06870) that trains, predicts, evaluates and is kept.

    Args:
        config, class_names, **options: see `Network`.

    Raises:
        ValueError: class names that are empty or not unique, unknown stages.
    """

    def __init__(self, config: MaskRCNNConfig, class_names: Sequence[str], **options: Any):
        super().__init__(config, class_names, **options)
        self._means = [keras.metrics.Mean(name=name) for name in ("loss", *self.loss_names)]
        self.pace = Pace()
        self.provenance: provenance.Provenance = dict(provenance.versions())

    # ---------------------------------------------------------------- training

    @property
    def metrics(self):
        return self._means

    @tf.autograph.experimental.do_not_convert
    def train_step(self, batch):
        inputs, targets = self.pace.arrived(batch)
        with tf.GradientTape() as tape:
            named = self(inputs, targets=targets, training=True)
            total = tf.add_n(list(named.values()))
            scaled = self.optimizer.scale_loss(total)
        with tf.control_dependencies(
            [training.stop_if_not_finite(named, targets["image_indices"])]
        ):
            gradients = tape.gradient(scaled, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self._log(total, named, inputs)

    def test_step(self, batch):
        inputs, targets = batch
        named = self(inputs, targets=targets, training=False)
        return self._log(tf.add_n(list(named.values())), named, inputs)

    def _log(self, total, named, inputs):
        weight = tf.cast(tf.shape(inputs["images"])[0], tf.float32)
        for mean, value in zip(self._means, [total, *named.values()], strict=True):
            mean.update_state(value, sample_weight=weight)
        return {mean.name: mean.result() for mean in self._means}

    def fit(
        self,
        train,
        validation_data=None,
        *,
        epochs: int = 1,
        batch_size: int = 2,
        learning_rate: float | None = None,
        augmentation: data.Policy = "flip",
        seed: int = 0,
        initial_epoch: int = 0,
        by_orientation: bool = False,
        cache: int | str = 0,
        validation_freq: int = 1,
        folder: str | Path | None = None,
        resume: bool = False,
        patience: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: str | int = "auto",
    ) -> keras.callbacks.History:
        """Trains; the logs hold every loss, its `val_` twin and COCO AP as `val_mask_AP` ….

        Args:
            train, validation_data: datasets (see `kmaskrcnn.data`), or a `tf.data.Dataset` of
                batches as `kmaskrcnn.data.batches` makes them (then no AP is measured).
            epochs, initial_epoch: an epoch counts from 0; a training that goes on keeps its
                optimizer when `initial_epoch` is above 0.
            batch_size: images a step.
            learning_rate: of the default optimizer; None scales the paper's to the batch. A model
                that was compiled by its user keeps that optimizer.
            augmentation: "flip", "lsj+copy_paste" … (see `kmaskrcnn.Augmentation`, which it may be,
                too), or your own (`kmaskrcnn.data.OwnPolicy`, `kmaskrcnn.data.Transformed`).
            seed: of the order, the augmentation and the sampling: same seed, same losses.
            by_orientation: batches of wide or of tall images only, so that less is padded; asks
                every sample once for its size.
            cache: bytes of decoded training images that are kept in memory, such as "2GB"; 0: none.
            validation_freq: epochs between validations; the last epoch always measures AP.
            folder: where each epoch ends with `last.keras` (a model file with the whole state of
                the training), `best.keras` (of the highest mask AP, or box AP without masks) and
                `history.csv`. It must not hold a run, unless `resume` says so.
            resume: go on from the newest whole checkpoint in `folder`, with its optimizer, order of
                the data and random state, as if there had been no break; from the beginning where
                there is none. The arguments must be the former ones, but for `epochs`, `patience`,
                callbacks and where the data lie. More `epochs` than planned stretch the schedule of
                the default optimizer: the rest is trained at the rates of a run of that length.
            patience: epochs without a better AP after which to stop; counted across a resume.
            callbacks: any of Keras' own.
            verbose: 0 silent, 1 progress bars, 2 a line an epoch.

        Raises:
            NonFiniteLossError: a loss became NaN or infinite; names the components and images.
            OutOfMemoryError: names what to lower, with its values.
            kmaskrcnn.data.DataError: a file or annotation that cannot be used; names it.
            ValueError: a folder that holds another run or none that can be resumed; says why.
            FolderInUseError: another training is in that folder.
            KeyboardInterrupt: Ctrl-C or SIGTERM; the message says what is kept.
        """
        self._check(train, validation_data, verbose)
        with resuming.opened(
            folder, resume, epochs, epochs_done=initial_epoch, patience=patience, verbose=verbose
        ) as run:
            order = data.Order(batch_size, shuffle=True, seed=seed, by_orientation=by_orientation)
            batches = self._batches(
                train, order, augmentation, initial_epoch=run.epochs_done, cache=cache
            )
            self._prepare_optimizer(len(batches) * epochs, batch_size, learning_rate, initial_epoch)
            if not self.optimizer.built:  # built within the graph, it would be traced twice
                self.optimizer.build(self.trainable_variables)
            if not initial_epoch:  # a training that goes on draws on where it stopped
                self._reseed(seed)
            options = {"augmentation": augmentation, "seed": seed, "by_orientation": by_orientation}
            options |= {"batch_size": batch_size, "learning_rate": learning_rate, "epochs": epochs}
            run.begin(self, train, validation_data, options)
            if run.is_over(epochs):
                return run.history()
            measured = self._average_precision(validation_data, validation_freq)
            if validation_data is not None:
                validation_data = self._batches(validation_data, data.Order(1))
            with self._clear_errors(train, batch_size), training.entered(callbacks):
                history = super().fit(
                    batches,
                    shuffle=False,
                    validation_data=validation_data,
                    validation_freq=validation_freq,
                    epochs=epochs,
                    initial_epoch=run.epochs_done,
                    callbacks=[PaceFigures(self.pace), *measured, *callbacks, run],
                    verbose=verbose,
                )
            return run.history(history)

    @contextmanager
    def _clear_errors(self, train, batch_size) -> Iterator[None]:
        """What TensorFlow wraps or mumbles, as errors that name the file, images or settings."""
        knobs = {name: getattr(self.config, name) for name in TRAINING_KNOBS}
        of_memory = memory.clear_errors(batch_size=batch_size, **knobs)
        with data.clear_errors(), training.clear_errors(train), of_memory:
            yield

    def _check(self, train, validation_data, verbose) -> None:
        """The class table and what was mended, printed; classes that do not fit are an error."""
        if isinstance(train, tf.data.Dataset) or isinstance(validation_data, tf.data.Dataset):
            return
        found = data.check(train, validation_data, self.class_names, self.config.keypoint_names)
        if verbose:
            print(found)

    def _batches(self, dataset, order, augmentation="none", **options) -> tf.data.Dataset:
        if isinstance(dataset, tf.data.Dataset):
            return dataset
        dataset = data.align(dataset, self.class_names)
        return data.batches(dataset, self.input_size, order, augmentation=augmentation, **options)

    def _prepare_optimizer(self, total_steps, batch_size, learning_rate, initial_epoch) -> None:
        """A fresh default optimizer, unless the user compiled one or a training goes on."""
        if not self.compiled or (not initial_epoch and training.is_default(self.optimizer)):
            self.compile(
                training.default_optimizer(self.config, total_steps, batch_size, learning_rate)
            )

    def _average_precision(self, dataset, every) -> list[keras.callbacks.Callback]:
        if dataset is None or isinstance(dataset, tf.data.Dataset):
            return []
        evaluator = self._evaluator(dataset)
        return [training.AveragePrecision(lambda: self._measure(evaluator), every)]

    def _reseed(self, seed: int) -> None:
        for number, sampler in enumerate((self.anchor_sampler, self.box_branch.sampler)):
            sampler.priorities.reseed(2 * seed + number)

    # ---------------------------------------------------------------- evaluating, keeping

    def evaluate(self, x=None, *, metrics=("coco",), **options) -> dict[str, float]:
        """Losses, and COCO AP and AR of boxes and masks, overall and per class.

        Args:
            x: a dataset. (A `tf.data.Dataset` of batches gives the losses only.)
            metrics: of "coco", "lvis", "voc", "boundary", "cityscapes" (see docs/evaluation.md).

        Returns:
            {"loss": …, "mask_loss": …, "box/AP": …, "mask/AP50": …, "mask/AP/deer": …}; nan where
            there is nothing to measure.
        """
        if isinstance(x, tf.data.Dataset):
            return super().evaluate(x, **{**options, "return_dict": True})
        if not self.compiled:
            self._prepare_optimizer(1, 1, None, 0)
        evaluator = self._evaluator(x, metrics)
        with data.clear_errors(), memory.clear_errors(**self._memory_knobs()):
            named = super().evaluate(self._batches(x, data.Order(1)), return_dict=True, **options)
            return {**named, **self._measure(evaluator)}

    @classmethod
    def from_preset(
        cls,
        name: str,
        class_names: Sequence[str] | None = None,
        *,
        weights: str | Path | Mapping[str, np.ndarray] | None = None,
        leave_out: Sequence[str] = (),
        dtype: Any = None,
        **config: Any,
    ) -> MaskRCNN:
        """A model by name.

        Args:
            name: one of `kmaskrcnn.preset_names()`.
            class_names: the classes, without background. None: those that the weights know.
            weights: None (random); "imagenet" (the backbone's); "coco" and what else
                `kmaskrcnn weights` lists; a file, or arrays by name: of a backbone, or of a whole
                detector of torchvision, Detectron2, matterport or ours. Of a detector with other
                classes, those of the same name are kept; `load_report` says what became of each.
                With weights the stages up to `freeze_at` are frozen.
            leave_out: parts of a detector's weights that are not taken and start anew, as
                ["rpn_head"] for other anchors, or ["mask_head"]; without it all must fit.
            dtype: a Keras dtype policy.
            **config: any field of `MaskRCNNConfig`.

        Raises:
            ValueError, TypeError: an unknown preset, field or file, arrays that do not fit.
        """
        made = presets.preset(name, **config)
        frozen = stages_up_to(made.freeze_at) if weights is not None else ()
        checkpoint = pretrained.open_checkpoint(name, weights)
        plain = weights if checkpoint is None else None  # Keras' own: the backbone loads them
        if checkpoint is None and "/" not in name:
            made = made.replace(
                **{**pretrained.fitting_fields(made, plain, "backbone" in config), **config}
            )
        names = pretrained.fitting_classes(name, class_names, checkpoint)
        whole = pretrained.gives_all(checkpoint, names, leave_out)
        with blank() if whole else nullcontext():
            model = cls(made, names, frozen=frozen, backbone_weights=plain, dtype=dtype)
        source = None
        if checkpoint is not None:
            model.load_report = pretrained.load_into(model, checkpoint, leave_out=leave_out)
            source = checkpoint.source
        elif leave_out:
            raise ValueError(f"leave_out={leave_out}: there are no weights of a detector to take.")
        model.provenance = provenance.of_preset(name, weights, source)
        del checkpoint
        memory.give_back()
        return model

    def export_state(self, framework: str) -> dict[str, np.ndarray]:
        """All arrays under the names and in the layouts of another project, for use there.

        Args:
            framework: "torchvision", "detectron2" or "matterport"; the model must be one that it
                has, as those of its presets.

        Returns:
            {their parameter name: float32 array}. For torchvision and Detectron2:
            ``model.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})``.

        Raises:
            ValueError: an unknown framework, or a model that it does not have; says what differs.
        """
        arrays = {name: value.numpy() for name, value in self.parameters.items()}
        return weight_maps.from_ours(arrays, self.config, framework)

    def save(self, filepath: str | Path, overwrite: bool = True, **options: Any) -> None:
        """Writes the model with its optimizer as a ``.keras`` file, for `kmaskrcnn.load`.

        Raises:
            ValueError: another ending.
            OSError: a disk that is full, and the like; names the file, and the former one stays.
        """
        if Path(filepath).suffix != ".keras":
            raise ValueError(f"{filepath}: a model is kept in a file that ends in .keras.")
        if Path(filepath).exists() and not overwrite:
            raise ValueError(f"{filepath} exists: give overwrite=True or another name.")
        with atomic(filepath) as unfinished:
            super().save(unfinished, **options)

    def load_weights(self, filepath, skip_mismatch: bool = False, **options: Any) -> None:
        """As in Keras; a ValueError names what of another network, or other classes, differs."""
        if not skip_mismatch and Path(filepath).suffix in (".h5", ".keras"):
            pretrained.check_fits(self, filepath)
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **options)

    def get_config(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "class_names": list(self.class_names),
            "frozen": list(self.frozen),
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "provenance": self.provenance,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MaskRCNN:
        config = dict(config)
        origin = config.pop("provenance", {})  # files of version 0.1.0 may lack it
        model = cls(MaskRCNNConfig(**config.pop("config")), **config)
        model.provenance = dict(origin)
        return model
