"""How a profile is shared out among the parts of the network and the kinds of work."""

import json

import pytest
import tensorflow as tf

from benchmarks.profiling import naming, pictures, record, sharing, table
from benchmarks.profiling.__main__ import read, show
from benchmarks.profiling.trace import Operation, Trace

CONV = ("mask_rcnn_1/fpn_1/lateral_C3/BiasAdd", "_MklNativeFusedConv2D")
ADD = ("mask_rcnn_1/rpn_head_1/add", "AddV2")
PAD = ("mask_rcnn_1/backbone_1/stem.pad_1/Pad", "Pad")


def run_of(*operations, seconds=1.0, **spans):
    """A run of operations (start, end, thread, name and type)."""
    return Trace(seconds, [Operation(*o[:3], *o[3]) for o in operations], spans)


@pytest.mark.parametrize(
    ("name", "training", "part"),
    [
        ("mask_rcnn/backbone/res2.0.conv1/convolution", False, naming.BODY),
        ("gradient_tape/mask_rcnn_1/fpn_1/output_P2.block_1/Conv2D", True, naming.PYRAMID),
        ("mask_rcnn_1/box_pooling_1/KmaskrcnnRoiAlign", False, naming.POOLING),
        ("mask_rcnn_1/logistic_loss/add", True, naming.LOSSES),
        ("mask_rcnn_1/logistic_loss/add", False, naming.OTHER),
        ("kmaskrcnn_default/AssignAddVariableOp_72", True, naming.OPTIMIZER),
        ("AddN_9", True, naming.OTHER),
    ],
)
def test_parts_by_name(name, training, part):
    assert naming.part_of(name, training) == part


def test_kinds_by_type():
    types = ["_MklNativeConv2DBackpropFilter", "CombinedNonMaxSuppression", "StridedSlice", "Mul"]
    kinds = [naming.CONVOLUTIONS, naming.SELECTION, naming.COPIES, naming.ELEMENTWISE]
    assert [naming.kind_of(name) for name in types] == kinds


def test_moments_of_convolutions_are_theirs_and_all_add_up():
    run = run_of(
        (0.1, 0.5, "a", CONV),
        (0.4, 0.7, "b", ADD),  # 0.1 s of it beside a convolution
        (0.6, 0.7, "a", PAD),  # shared by two
        graph=[(0.05, 0.8)],
        pasting=[(0.9, 1.0)],
    )
    found = sharing.shares(run, training=False)
    expected = {
        naming.PYRAMID: {naming.CONVOLUTIONS: 0.4},
        naming.RPN: {naming.ELEMENTWISE: 0.15},
        naming.BODY: {naming.COPIES: 0.05},
        naming.OTHER: {naming.WAITING: 0.15, naming.PYTHON: 0.15},
        naming.PASTING: {naming.PYTHON: 0.1},
    }
    assert {part: pytest.approx(kinds) for part, kinds in found.items()} == expected


def test_of_operations_in_each_other_the_innermost_runs():
    run = run_of((0.0, 1.0, "a", ADD), (0.2, 0.6, "a", PAD), graph=[(0.0, 1.0)])
    found = sharing.shares(run, training=False)
    assert found[naming.BODY] == pytest.approx({naming.COPIES: 0.4})
    assert found[naming.RPN] == pytest.approx({naming.ELEMENTWISE: 0.6})


def test_lanes_join_neighbours_of_one_part():
    run = run_of(
        (0.0, 0.2, "pool a", CONV),
        (0.2001, 0.5, "pool a", CONV),
        (0.5, 0.6, "pool a", PAD),
        graph=[(0.0, 0.6)],
        pasting=[(0.8, 1.0)],
    )
    lanes = sharing.lanes(run, training=False)
    assert lanes["thread 1"] == [(0.0, 0.5, naming.PYRAMID), (0.5, 0.1, naming.BODY)]
    assert lanes["Python"] == [(0.6, 0.2, naming.OTHER), (0.8, 0.2, naming.PASTING)]


def test_a_graph_under_the_profiler():
    matrix = tf.random.stateless_normal([300, 300], [0, 0])
    graph = tf.function(lambda a: tf.sort(a @ a))
    graph(matrix)
    run = record.profiled(lambda: graph(matrix))
    found = sharing.shares(run, training=False)[naming.OTHER]
    assert found[naming.CONVOLUTIONS] > 0 and found[naming.SELECTION] > 0
    assert sum(found.values()) == pytest.approx(run.seconds)


def test_before_and_now_beside_the_limit(tmp_path, capsys):
    for folder, seconds in (("before", 2.0), ("now", 1.0)):
        (tmp_path / folder).mkdir()
        run = run_of((0.0, seconds, "a", CONV), seconds=seconds, graph=[(0.0, seconds)])
        for name in ("predict", "predict_limit"):
            summary = json.dumps(record.summary(run, training=False))
            (tmp_path / folder / f"{name}.json").write_text(summary)
    profiles = read("predict", tmp_path / "now", tmp_path / "before")
    assert list(profiles) == ["before", "now", table.LIMIT]
    show({"predict": profiles}, tmp_path)
    printed = capsys.readouterr().out
    assert "| over the limit | 2.00 × | 1.00 × | 1.00 × |" in printed
    assert f"| {naming.PYRAMID} | 2.000 | 1.000 |" in printed
    assert {path.suffix for path in tmp_path.iterdir()} == {"", ".md", ".png"}
    assert set(pictures.PART_COLOURS) == set(naming.PARTS)
