"""One step of training: the losses, and the gradient of each parameter by the reference's name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock

import numpy as np
import tensorflow as tf

from tests.parity.case import Case
from tests.parity.limits import LIMITS, PROPOSAL_PIXELS, SMALL_GRADIENT
from tests.parity.rows import Row, relative_row
from tests.parity.run import Run
from tests.parity.sets import distances
from tests.parity.truth import targets

LOSSES = {
    # torchvision
    "loss_objectness": "rpn_class_loss",
    "loss_rpn_box_reg": "rpn_box_loss",
    "loss_classifier": "class_loss",
    # both
    "loss_box_reg": "box_loss",
    "loss_mask": "mask_loss",
    "loss_keypoint": "keypoint_loss",
    # Detectron2
    "loss_rpn_cls": "rpn_class_loss",
    "loss_rpn_loc": "rpn_box_loss",
    "loss_cls": "class_loss",
    **{f"loss_cls_stage{i}": f"class_loss_{i + 1}" for i in range(3)},
    **{f"loss_box_reg_stage{i}": f"box_loss_{i + 1}" for i in range(3)},
    # matterport
    "rpn_bbox_loss": "rpn_box_loss",
    "mrcnn_class_loss": "class_loss",
    "mrcnn_bbox_loss": "box_loss",
    "mrcnn_mask_loss": "mask_loss",
}


class Step(NamedTuple):
    """What one step gave."""

    losses: dict[str, tf.Tensor]
    gradients: dict[str, np.ndarray]  # of the sum of the losses, by our parameters' names
    strange_rois: list[float]  # see `_their_rois`


def loss_stage(run: Run) -> Iterator[Row]:
    """Every loss of one step."""
    if not run.case.names("training/loss/"):
        return
    for share in _stepped(run).strange_rois:
        yield Row("losses", "RoIs of the heads", share, LIMITS["proposals"])
    yield from loss_rows(run.case, _stepped(run).losses)


def gradient_stage(run: Run) -> Iterator[Row]:
    """Every gradient of one step."""
    if "training/grad_names" in run.case:
        yield from _gradient_rows(run, _stepped(run).gradients)


def _stepped(run: Run) -> Step:
    """One step for both stages."""
    if run.step is None:
        with _their_rois(run) as alone:
            run.step = Step(*step(run), alone)
    return run.step


def loss_rows(case: Case, named: dict[str, tf.Tensor]) -> Iterator[Row]:
    """Each loss of the reference, and ours of the same meaning."""
    for name in case.names("training/loss/"):
        theirs = float(case.answers[f"training/loss/{name}"])
        ours = float(named.get(LOSSES.get(name, name), float("nan")))
        away = abs(ours - theirs) / abs(theirs) if theirs else abs(ours)
        yield Row("losses", name, away, LIMITS["losses"])


@contextmanager
def _their_rois(run: Run) -> Iterator[list[float]]:
    """matterport's heads on the very RoIs that it sampled; yields which share of ours it did not.

    Its pooling lets the last bit of a RoI that ends on the canvas' edge decide between a feature
    and zero, so that RoIs which agree to 1e-6 may differ by 1 in their class logits.
    """
    alone: list[float] = []
    if "training/rois_normalised" not in run.case.answers:
        yield alone
        return
    theirs = run.case.answers["training/rois_normalised"][:, [1, 0, 3, 2]]
    sampler = run.training_model.box_branch.sampler
    sample = sampler.call

    def sampled(*args, **options):
        rois = sample(*args, **options)
        ours, spans = rois.boxes[0].numpy(), np.float32(run.input_shape[::-1] * 2) - 1
        away = distances(ours * spans, theirs * spans)
        near = away.min(1) <= PROPOSAL_PIXELS
        alone.append(float(1 - near.mean()))
        boxes = np.where(near[:, None], theirs[away.argmin(1)], ours)
        return rois._replace(boxes=tf.constant(boxes)[tf.newaxis])

    with mock.patch.object(sampler, "call", sampled):
        yield alone


def losses(run: Run) -> dict[str, tf.Tensor]:
    """The named losses () of one step."""
    return run.training_model(run.inputs, targets=targets(run.case), training=True)


def step(run: Run) -> tuple[dict[str, tf.Tensor], dict[str, np.ndarray]]:
    """The losses, and the gradient of their sum for each of our parameters."""
    variables = {name: v.value for name, v in run.training_model.parameters.items()}
    run.inputs  # noqa: B018  the trace that they come from is not to be on the tape
    with tf.GradientTape() as tape:
        for variable in variables.values():
            tape.watch(variable)
        named = losses(run)
        total = tf.add_n(list(named.values()))
    gradients = tape.gradient(total, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return named, {name: gradient.numpy() for name, gradient in gradients.items()}


def _gradient_rows(run: Run, gradients: dict[str, np.ndarray]) -> Iterator[Row]:
    """Norms of all parameters, the worst of them by name; samples of some."""
    answers = run.case.answers
    names = [str(name) for name in answers["training/grad_names"]]
    held = answers.get("training/grad_norms_targets_held", answers["training/grad_norms"])
    norms = dict(zip(names, held.astype(np.float64), strict=True))
    ours = run.in_their_names(gradients)
    missing = [name for name in names if name not in ours]
    yield Row("gradients", "names not found", float(len(missing)), 0.0, " ".join(missing[:3]))
    largest = max(norms.values())
    away = {
        name: abs(np.linalg.norm(ours[name].astype(np.float64)) - norm) / norm
        for name, norm in norms.items()
        if name in ours and norm > SMALL_GRADIENT * largest
    }
    worst = max(away, key=away.__getitem__)
    yield Row("gradients", f"norms of {len(away)}", away[worst], LIMITS["gradients"], worst)
    for name in run.case.names("training/grad/"):
        if name in ours:
            sample = run.case.sample(f"training/grad/{name}")
            yield relative_row("gradients", name, ours[name], sample, LIMITS["gradients"])
