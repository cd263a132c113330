"""The command line: what each verb takes. What it does lies in `kmaskrcnn.commands`.

TensorFlow is imported by a verb's work, never by its options, so that `--help` answers at once. A
mistake of the user is one sentence on standard error; `--debug` adds the stack trace.

Exit codes: 0 done, 1 failed at work, 2 the command or its input is wrong, 130 interrupted.
"""

from __future__ import annotations

import os

import click

from kmaskrcnn.cli import (
    benchmark,
    build_op,
    completion,
    convert,
    data,
    demo,
    doctor,
    evaluate,
    find_rate,
    freeze,
    info,
    inspect,
    predict,
    report,
    train,
    weights,
)
from kmaskrcnn.cli.door import Door

VERBS = (  # in the order of use, as the help lists them
    train.train,
    find_rate.find_rate,
    evaluate.evaluate,
    report.report,
    predict.predict,
    inspect.inspect,
    data.data,
    info.info,
    freeze.freeze,
    weights.weights,
    convert.convert,
    benchmark.benchmark,
    doctor.doctor,
    demo.demo,
    build_op.build_op,
    completion.completion,
)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.version_option(package_name="kmaskrcnn")
def main(debug: bool) -> None:
    """Mask R-CNN for TensorFlow 2 and Keras 3: find objects and their outlines in photographs.

    \b
    DATA is a file or folder of COCO, LabelMe, VIA, Pascal VOC, Cityscapes, YOLO or TFRecord, or of
    masks as PNGs; what was recognised is said. FOLDER#SPLIT takes one of several parts.

    \b
    Exit codes: 0 done, 1 failed at work, 2 the command or its input is wrong, 130 interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


for verb in VERBS:
    main.add_command(verb)
