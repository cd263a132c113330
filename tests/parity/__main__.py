"""The runner: ``python -m tests.parity FOLDER…``; exits 1 if a stage of a case differs."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path


def arguments(words: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.parity",
        description="Our networks against the references' answers, stage by stage.",
    )
    parser.add_argument("folders", nargs="*", type=Path, help="cases: state.json, expected.npz")
    parser.add_argument("--all", type=Path, metavar="ROOT", help="every case below a folder")
    parser.add_argument("--only", metavar="STAGE", action="append", help="one stage; may repeat")
    parser.add_argument(
        "--fallback", action="store_true", help="TensorFlow's own ops in place of the C++ op"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--markdown", action="store_true", help="print one Markdown table")
    asked = parser.parse_args(words)
    if not asked.folders and asked.all is None:
        parser.error("name the folders of cases, or --all and the folder they are in")
    return asked


def main(words: list[str]) -> int:
    """Runs the cases one after the other; 0 if all are the same."""
    asked = arguments(words)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the limits are for a processor
    if asked.fallback:
        os.environ["KMASKRCNN_ROI_ALIGN"] = "fallback"
    logging.getLogger("tensorflow").setLevel("ERROR")  # a graph a case is as it should be
    # TensorFlow reads the environment when it is imported.
    from tests.parity import report
    from tests.parity.case import Case, cases_below
    from tests.parity.compare import STAGES, compare

    unknown = set(asked.only or ()) - set(STAGES)
    if unknown:
        print(f"The stages are {', '.join(STAGES)}; there is no {', '.join(sorted(unknown))}.")
        return 2
    cases = [Case(folder.resolve()) for folder in asked.folders]
    if asked.all is not None:
        cases += cases_below(asked.all)
    if not cases:
        print(f"There is no case below {asked.all}: no folder with state.json and expected.npz.")
        return 1
    results = []
    for case in cases:
        results.append(compare(case, asked.only or tuple(STAGES)))
        if not asked.json:
            print(report.text(results[-1]), flush=True)
    if asked.json:
        print(report.as_json(results))
    if asked.markdown:
        print(report.markdown(results))
    if not asked.json:
        print(report.summary(results))
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
