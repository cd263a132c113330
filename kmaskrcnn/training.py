"""The default optimizer and its schedule, and what watches over a training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import keras
import tensorflow as tf

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data import Dataset
from kmaskrcnn.evaluation import prediction_sheet, showcase
from kmaskrcnn.files import write_bytes
from kmaskrcnn.ops.drawing import encode_picture
from kmaskrcnn.sgd import SGD
from kmaskrcnn.structures import Detections

IMAGES_OF_PAPER_BATCH = 16
RATE_OF_PAPER_BATCH = 0.02
ADAM_RATE = 5e-4  # for as many images
DEFAULT_NAME = "kmaskrcnn_default"
WITHOUT_DECAY = ("bias", "gamma", "beta")  # names of variables
NOT_FINITE, END = "<not finite> ", " </not finite>"  # around the values in TensorFlow's message


class NonFiniteLossError(ArithmeticError):
    """A loss became NaN or infinite; the message names the components and the images."""


@keras.saving.register_keras_serializable("kmaskrcnn")
class WarmupSteps(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the base rate, then divided by ten at each boundary.

    Args:
        base_rate: the rate after the warm-up.
        warmup_steps: steps from a thousandth of it (Goyal et al. 2017, arXiv:1706.02677).
        boundaries: steps at which the rate is divided by ten.
    """

    def __init__(self, base_rate: float, warmup_steps: int, boundaries: Sequence[int]):
        self.base_rate, self.warmup_steps = float(base_rate), int(warmup_steps)
        self.boundaries = [int(step) for step in boundaries]

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        warmup = tf.minimum(1.0, 1e-3 + step / self.warmup_steps) if self.warmup_steps else 1.0
        passed = tf.reduce_sum([tf.cast(step >= bound, tf.float32) for bound in self.boundaries])
        return self.base_rate * warmup * tf.pow(0.1, passed)

    def get_config(self):
        return {
            "base_rate": self.base_rate,
            "warmup_steps": self.warmup_steps,
            "boundaries": self.boundaries,
        }


def default_optimizer(
    config: MaskRCNNConfig, total_steps: int, batch_size: int, learning_rate: float | None = None
) -> keras.optimizers.Optimizer:
    """The paper's recipe for any length: SGD with momentum, warm-up, ÷10 at 70 % and 90 %.

    Keras decays weights apart from the momentum, which the L2 term of the paper's framework passes
    through, so SGD gets the config's coefficient divided by 1 - momentum.

    Args:
        config: which optimizer, learning rate, momentum, weight decay, clip norm, warm-up steps.
        total_steps: of the whole training.
        batch_size: the paper's rate of 0.02 for 16 images is scaled to it where none is given.
        learning_rate: instead of the config's.
    """
    schedule = WarmupSteps(
        learning_rate or config.learning_rate or _scaled_rate(config.optimizer, batch_size),
        warmup_steps=min(config.warmup_steps, max(total_steps // 4, 1)),
        boundaries=[math.ceil(0.7 * total_steps), math.ceil(0.9 * total_steps)],
    )
    common = {"global_clipnorm": config.clip_norm, "name": DEFAULT_NAME}
    if config.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, **common)
    else:
        decay = config.weight_decay / (1 - config.momentum)
        optimizer = SGD(schedule, momentum=config.momentum, weight_decay=decay, **common)
    optimizer.exclude_from_weight_decay(var_names=list(WITHOUT_DECAY))
    return optimizer


def _scaled_rate(optimizer: str, batch_size: int) -> float:
    """Linear in the batch for SGD (Goyal et al. 2017), with its square root for Adam."""
    share = batch_size / IMAGES_OF_PAPER_BATCH
    return RATE_OF_PAPER_BATCH * share if optimizer == "sgd" else ADAM_RATE * math.sqrt(share)


class AveragePrecision(keras.callbacks.Callback):
    """Puts COCO figures of a validation set into the logs: `val_box_AP`, `val_mask_AP50`, ….

    It comes before the user's callbacks, so that they can monitor these keys.

    Args:
        measure: gives {"box/AP": …, …}, per-class keys included.
        every: epochs between measurements; the last epoch is always measured.
    """

    def __init__(self, measure, every: int = 1):
        super().__init__()
        self.measure, self.every = measure, every

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params.get("epochs")
        if logs is not None and (last or (epoch + 1) % self.every == 0):
            figures = self.measure()
            logs.update({f"val_{key.replace('/', '_')}": v for key, v in headline(figures).items()})


class ValidationPictures(keras.callbacks.Callback):
    """A picture of truth and predictions side by side after an epoch, always of the same images.

    Where few predictions reach the score, as in the first epochs, the best of the others are drawn,
    with their low scores, until there are as many as objects.

    Args:
        dataset: of it are drawn images with objects, such that many classes are seen.
        folder: `epoch_001.jpg` and so on are written here; made if need be.
        limit: images at most; each is predicted once more, so they bound the time.
        score: predictions from this score on are drawn.
        every: epochs between two pictures; the first and the last epoch always have one.
    """

    def __init__(
        self,
        dataset: Dataset,
        folder: str | Path,
        *,
        limit: int = 12,
        score: float = 0.5,
        every: int = 1,
    ):
        super().__init__()
        self.dataset, self.folder = dataset, Path(folder)
        self.limit, self.score, self.every = limit, score, every
        self._images: list[int] | None = None

    def on_epoch_end(self, epoch, logs=None):
        number = epoch + 1
        if number % self.every and number not in (1, self.params.get("epochs")):
            return
        if self._images is None:
            self._images = showcase(self.dataset, self.limit)
        path = self.folder / f"epoch_{number:03d}.jpg"
        draw_predictions(
            self.model, self.dataset, path, images=self._images, score=self.score, fill=True
        )


def draw_predictions(
    model,
    dataset: Dataset,
    path: str | Path,
    *,
    limit: int = 12,
    score: float = 0.5,
    images: Sequence[int] | None = None,
    fill: bool = False,
    **layout,
) -> None:
    """Images of a dataset on one sheet: truth, and beside it what the model finds.

    Args:
        model: predicts arrays.
        path: the picture to write; its folder is made.
        limit: images at most; score: predictions from this score on are drawn.
        images: their places in the dataset; None: the first ones.
        fill: whether the best below that score are drawn, too, up to the number of true objects.
        **layout: what else `prediction_sheet` takes: truth, columns, cell_size.
    """
    places = list(range(min(limit, len(dataset))) if images is None else images)
    samples = (dataset[place] for place in places)
    found = (
        _likely(model.predict(sample.read())[0], score, len(sample.instances) if fill else 0)
        for sample in samples
    )
    predictions = zip(places, found, strict=True)
    sheet = prediction_sheet(dataset, predictions, limit=len(places), **layout)
    write_bytes(path, encode_picture(sheet, Path(path).suffix))


def _likely(found: Detections, score: float, least: int) -> Detections:
    """Those from a score on, or the best, if there are fewer than so many."""
    certain = found.filter(score=score)
    return certain if len(certain) >= least else found.top(least)


def headline(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures without those of single classes: `box/AP`, not `box/AP/deer`."""
    return {key: value for key, value in figures.items() if key.count("/") == 1}


def stop_if_not_finite(losses: Mapping[str, tf.Tensor], image_indices: tf.Tensor) -> tf.Operation:
    """An assertion that names every loss and the images' places in the dataset."""
    finite = tf.reduce_all([tf.math.is_finite(loss) for loss in losses.values()])
    template = ", ".join(f"{name} {{}}" for name in losses) + "; images {}"
    values = tf.strings.format(template, [*losses.values(), image_indices], summarize=-1)
    return tf.debugging.Assert(finite, [tf.strings.join([NOT_FINITE, values, END])])


@contextmanager
def clear_errors(dataset: Dataset | None = None) -> Iterator[None]:
    """Raises `NonFiniteLossError` in the place of TensorFlow's report of that assertion.

    Args:
        dataset: names the images that the batch was made of; None, or batches: numbers only.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        if NOT_FINITE not in str(error):
            raise
        values = str(error).split(NOT_FINITE, 1)[1].split(END, 1)[0]
        places = [int(number) for number in values.rpartition("[")[2].strip("] ").split()]
        raise NonFiniteLossError(
            f"The loss is not finite any more: {values} (their places in the dataset"
            f"{_names_of(places, dataset)}). Lower learning_rate, lengthen warmup_steps, or look "
            "at the annotations of these images."
        ) from None


def _names_of(places: Sequence[int], dataset: Dataset | None) -> str:
    """``: a.jpg, b.jpg``, or nothing where the dataset is one of batches or fails itself."""
    if dataset is None or isinstance(dataset, tf.data.Dataset):
        return ""
    try:
        return ": " + ", ".join(dataset[place].name for place in places)
    except Exception:  # a user's dataset, in the middle of another error
        return ""


@contextmanager
def entered(callbacks: Sequence[keras.callbacks.Callback]) -> Iterator[None]:
    """Those that are context managers are left in order, whatever happens meanwhile."""
    with ExitStack() as stack:
        for callback in callbacks:
            if hasattr(callback, "__exit__"):
                stack.enter_context(callback)
        yield


def is_default(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether `default_optimizer` made it (a loss-scaling wrapper aside)."""
    return getattr(optimizer, "inner_optimizer", optimizer).name == DEFAULT_NAME
