"""Writes the files beside it, with PyTorch and safetensors: ``python write.py``.

What is in them is what ``tests/weights/expected.py`` computes without PyTorch.
"""

import argparse
import io
import pickle
import sys
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def torch_state() -> OrderedDict:
    """A state dict of every kind of tensor that a checkpoint may hold."""
    import torch

    row = torch.arange(10, dtype=torch.float32)
    tied = torch.full((2, 2), 5.0)
    state = OrderedDict(
        {
            "conv.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2) / 8,
            "conv.parameter": torch.nn.Parameter(torch.arange(3, dtype=torch.float64)),
            "transposed": torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
            "row.start": row[:4],
            "row.end": row[4:],
            "row.every_third": row[::3],
            "tied.one": tied,
            "tied.two": tied,
            "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
            "half": (torch.arange(8) / 4).half(),
            "bfloat16": (torch.arange(8) / 4).bfloat16().reshape(2, 4).t(),
            "flags": torch.tensor([True, False, True]),
            "bytes": torch.arange(5, dtype=torch.uint8),
            "uint16": torch.arange(5).to(torch.uint16),
            "empty": torch.zeros(0, 4),
            "norm.num_batches_tracked": torch.tensor(7),
        }
    )
    state._metadata = OrderedDict({"": {"version": 1}, "norm": {"version": 2}})
    return state


def checkpoint() -> dict:
    """What the training script of torchvision's references saves, wrapped for several GPUs."""
    import torch

    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    optimizer.step()
    return {
        "model": OrderedDict((f"module.{name}", value) for name, value in torch_state().items()),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": {"milestones": Counter([16, 22]), "gamma": 0.1},
        "args": argparse.Namespace(lr=0.02, aspect={1, 2}, device=torch.device("cpu")),
        "epoch": 25,
        "size": torch.Size([3, 4]),
    }


def numpy_state() -> dict:
    """A model of Detectron2's zoo: NumPy's arrays of several orders."""
    grid = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {
        "stem.conv1.weight": grid,
        "stem.fortran": np.asfortranarray(grid),
        "stem.big_endian": grid.astype(">f4"),
        "stem.scalar": np.float64(2.5),
        "stem.half": grid.astype(np.float16),
        "stem.count": np.array(3),
        "stem.label": np.array(["a name"]),
    }


def detectron2(protocol: int) -> bytes:
    """``{"model": …, "__author__": …}`` as in Detectron2's zoo."""
    content = {"model": numpy_state(), "__author__": "kmaskrcnn", "matching_heuristics": True}
    return pickle.dumps(content, protocol)


class _Python2Pickler(pickle._Pickler):
    """Writes strings and bytes alike as Python 2 wrote its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, text) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        short = len(data) < 256
        size = len(data).to_bytes(1 if short else 4, "little")
        self.write((pickle.SHORT_BINSTRING if short else pickle.BINSTRING) + size + data)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_string


def detectron() -> bytes:
    """``{"blobs": …}`` of Detectron, which ran on Python 2."""
    large = np.arange(100, dtype=np.float32)
    blobs = {"conv1_w": large, "conv1_w_momentum": large, "fpn_b": large[:3].copy()}
    file = io.BytesIO()
    _Python2Pickler(file, 2).dump({"blobs": blobs, "cfg": "MODEL:\n  TYPE: generalized_rcnn\n"})
    return file.getvalue().replace(b"numpy._core", b"numpy.core")


def write(folder: Path) -> None:
    """All files, into ``folder``."""
    import safetensors.torch
    import torch

    torch.save(checkpoint(), folder / "checkpoint.pth")
    torch.save(torch_state(), folder / "legacy.pth", _use_new_zipfile_serialization=False)
    tensors = {"state_dict": {"a": torch.arange(3.0), "b": torch.arange(4).reshape(2, 2).t()}}
    for protocol in (2, 4):
        (folder / f"tensors{protocol}.pkl").write_bytes(pickle.dumps(tensors, protocol))
        (folder / f"detectron2_{protocol}.pkl").write_bytes(detectron2(protocol))
    (folder / "detectron.pkl").write_bytes(detectron())
    plain = {name: value.detach().clone() for name, value in torch_state().items()}
    plain = {name: value.contiguous() for name, value in plain.items()}
    safetensors.torch.save_file(plain, folder / "plain.safetensors", {"format": "pt"})


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
