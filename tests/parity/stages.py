"""From the photograph to the box branch: each stage's arrays against the reference's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.parity.limits import LIMITS, PROPOSAL_PIXELS
from tests.parity.orders import level
from tests.parity.rows import Row, at, relative_row
from tests.parity.run import Run
from tests.parity.sets import alone, distances


def input_rows(run: Run) -> Iterator[Row]:
    """Sizes after the resize, and the padded batch."""
    case, trace = run.case, run.trace
    away = np.abs(trace["input/sizes"] - _sizes(case.answers)).max()
    yield Row("input", "sizes", float(away), LIMITS["sizes"])
    got = run.order.image(trace["input/images"])
    yield relative_row("input", "images", got, case.sample("input/nhwc"), LIMITS["input"])


def _sizes(answers: dict[str, np.ndarray]) -> np.ndarray:
    """(B, 2) height and width; matterport keeps those of the canvas, and the window in it."""
    if "input/window" not in answers:
        return answers["input/sizes"]
    window = answers["input/window"].reshape(-1, 4)
    return window[:, 2:] - window[:, :2]


def feature_rows(run: Run) -> Iterator[Row]:
    """The backbone's and the pyramid's outputs."""
    for name in run.case.names("feature/"):
        got = run.trace[f"features/{level(name)}"]
        sample = run.case.sample(f"feature/{name}")
        yield relative_row("features", level(name), got, sample, LIMITS["features"])


def rpn_rows(run: Run) -> Iterator[Row]:
    """Objectness and deltas of each level; matterport's of all levels in one array."""
    case, limit = run.case, LIMITS["rpn"]
    if "rpn/probabilities" in case:
        scores = np.concatenate(run.levels("rpn/logits"), axis=1)[0]
        objects = 1 / (1 + np.exp(-scores.astype(np.float64)))
        both = np.stack([1 - objects, objects], axis=1)
        yield relative_row("rpn", "probabilities", both, case.sample("rpn/probabilities"), limit)
        deltas = run.order.axes(np.concatenate(run.levels("rpn/deltas"), axis=1)[0])
        yield relative_row("rpn", "deltas", deltas, case.sample("rpn/deltas"), limit)
        return
    for what in ("logits", "deltas"):
        for number, name in zip(case.names(f"rpn/{what}/"), run.level_names, strict=True):
            sample = case.sample(f"rpn/{what}/{number}")
            got = run.trace[f"rpn/{what}/{name}"].reshape(sample.shape)
            yield relative_row("rpn", f"{what} {name}", got, sample, limit)


def anchor_rows(run: Run) -> Iterator[Row]:
    """Counts a level, and boxes in pixels."""
    case = run.case
    if "rpn/anchors" not in case:
        return
    anchors = run.levels("anchors")
    counts = [len(level) for level in anchors]
    same = counts == case.answers["rpn/anchors_per_level"].tolist()
    yield Row("anchors", "number a level", float(not same), 0.0, "" if same else f"{counts}")
    got = run.order.axes(np.concatenate(anchors))
    sample = case.sample("rpn/anchors")
    away = float("inf")
    if got.shape == sample.shape:
        away = float(np.abs(np.subtract(*at(got, sample))).max())
    yield Row("anchors", "boxes, px", away, LIMITS["anchors"])


def proposal_rows(run: Run) -> Iterator[Row]:
    """Each image's as a set: who has no partner, of theirs or of ours."""
    trace = run.trace
    for image in range(run.num_images if run.fed else 0):
        theirs = run.case.answers[f"proposals/{image}"]
        ours = trace["proposals/boxes"][image][trace["proposals/valid"][image].astype(bool)]
        ours = run.order.pixels(ours, run.input_shape)
        away = alone(theirs, ours, PROPOSAL_PIXELS)
        note = f"{len(ours)}, theirs {len(theirs)}" if len(ours) != len(theirs) else ""
        yield Row("proposals", f"image {image}", away, LIMITS["proposals"], note)


def box_rows(run: Run) -> Iterator[Row]:
    """The box branch on exactly the reference's proposals."""
    case, limit = run.case, LIMITS["box"]
    turned = {
        "roi_features": lambda array: array,
        "class_logits": run.order.class_logits,
        "deltas": run.order.box_deltas,
    }
    for what, turn in turned.items():
        if run.fed and f"box/{what}" in case:
            sample = case.sample(f"box/{what}")
            got = turn(run.fed_rows(run.trace[f"box/{what}"]))
            if len(sample.shape) == 2:
                got = got.reshape(len(got), -1)
            yield relative_row("box", what, got, sample, limit)


def mask_head_rows(run: Run) -> Iterator[Row]:
    """matterport's mask branch on the detections of the fed proposals, paired as sets."""
    case, trace = run.case, run.trace
    if "mask/probabilities" not in case:
        return
    partner = _graph_partners(run)
    logits = trace["masks/logits"][: (trace["detections/labels"][0] >= 0).sum()]
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    whole = {"roi_features": trace["masks/roi_features"], "probabilities": probabilities}
    for what, ours in whole.items():
        sample = case.sample(f"mask/{what}")
        got = np.ma.masked_all(sample.shape, ours.dtype)
        got[partner >= 0] = ours[partner[partner >= 0]]
        note = f"{(partner < 0).sum()} without a partner" if (partner < 0).any() else ""
        row = relative_row("mask head", what, got, sample, LIMITS["mask head"])
        yield row._replace(note=note)
    yield Row("mask head", "detections", float((partner < 0).mean()), LIMITS["detections"])


def _graph_partners(run: Run) -> np.ndarray:
    """For each detection of matterport's graph ours of the same class and box, or -1."""
    graph = run.case.answers["detections/0/graph"]
    graph = graph[graph[:, 4] > 0]
    labels = run.order.labels(run.trace["detections/labels"][0])
    away = distances(graph[:, [1, 0, 3, 2]], run.trace["detections/boxes"][0])
    away[graph[:, 4, None] != labels[None]] = np.inf
    return np.where(away.min(1) <= 1e-4, away.argmin(1), -1)
