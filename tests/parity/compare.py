"""A case, compared: every stage's rows in order, and how long it took."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.parity import found, stages, training
from tests.parity.case import Case
from tests.parity.report import Result
from tests.parity.rows import Row
from tests.parity.run import Run
from tests.parity.settings import CaseError

STAGES: dict[str, Callable[[Run], Iterator[Row]]] = {
    "input": stages.input_rows,
    "features": stages.feature_rows,
    "rpn": stages.rpn_rows,
    "anchors": stages.anchor_rows,
    "proposals": stages.proposal_rows,
    "box": stages.box_rows,
    "mask head": stages.mask_head_rows,
    "detections": found.detection_rows,
    "masks": found.mask_rows,
    "keypoints": found.keypoint_rows,
    "losses": training.loss_stage,
    "gradients": training.gradient_stage,
}


def compare(case: Case, only: Iterable[str] = tuple(STAGES), **changes: Any) -> Result:
    """The rows of some stages; what goes wrong on the way ends the case and is told.

    Args:
        case: a reference's answers.
        only: the stages to compare.
        changes: fields of the config to set otherwise.
    """
    started = time.perf_counter()
    rows: list[Row] = []
    preset, notes, error = "", (), ""
    try:
        preset, notes = case.settings.preset, case.settings.notes
        run = Run(case, **changes)
        notes += run.notes
        for name, rows_of in STAGES.items():
            if name in only:
                rows.extend(rows_of(run))
    except CaseError as known:
        error = str(known)
    except Exception as problem:  # the other cases are to be run
        traceback.print_exc()
        error = f"{type(problem).__name__}: {problem}"
    run = None  # a big model goes before the next comes
    gc.collect()
    return Result(case.name, preset, rows, time.perf_counter() - started, notes, error)
