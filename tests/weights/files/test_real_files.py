"""Files fresh from PyTorch, where it is installed; elsewhere those kept in the folder do."""

import pickle
import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays
from tests.weights.expected import (
    assert_same,
    detectron2_arrays,
    detectron_arrays,
    tensor_arrays,
    torch_arrays,
)
from tests.weights.written import write

torch = pytest.importorskip("torch", reason="writes files with PyTorch, which is not installed")


def as_arrays(state):
    """A state dict as PyTorch itself makes arrays of it; bfloat16 as float32."""
    plain = {name: value.detach() for name, value in state.items()}
    return {
        name: (value.float() if value.dtype == torch.bfloat16 else value).numpy()
        for name, value in plain.items()
    }


class Net(torch.nn.Module):
    """A few layers with every kind of state: shared weights, buffers, half precision."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
        self.head = torch.nn.Linear(4, 4)
        self.twin = torch.nn.Linear(4, 4)
        self.twin.weight = self.head.weight
        self.half = torch.nn.Linear(2, 2).half()
        self.register_buffer("ids", torch.arange(6).reshape(2, 3).t())


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


FORMS = {"archive": {}, "older": {"_use_new_zipfile_serialization": False}}
FORMS |= {"protocol 4": {"pickle_protocol": 4}, "protocol 5": {"pickle_protocol": 5}}


def test_the_files_kept_are_what_is_written_today(tmp_path):
    pytest.importorskip("safetensors", reason="writes a file with safetensors, not installed")
    write.write(tmp_path)
    for name in ("checkpoint.pth", "legacy.pth", "plain.safetensors"):
        assert_same(read_arrays(tmp_path / name), torch_arrays())
    for protocol in (2, 4):
        assert_same(read_arrays(tmp_path / f"detectron2_{protocol}.pkl"), detectron2_arrays())
        assert_same(read_arrays(tmp_path / f"tensors{protocol}.pkl"), tensor_arrays())
    assert_same(read_arrays(tmp_path / "detectron.pkl"), detectron_arrays())


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS.keys())
def test_state_dict(tmp_path, net, options):
    torch.save(net.state_dict(), tmp_path / "net.pth", **options)
    assert_same(read_arrays(tmp_path / "net.pth"), as_arrays(net.state_dict()))


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS.keys())
def test_checkpoint_of_a_training(tmp_path, net, options):
    wrapped = OrderedDict((f"module.{name}", value) for name, value in net.state_dict().items())
    optimizer = torch.optim.AdamW(net.body.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [16, 22])
    net.body(torch.ones(1, 3, 4, 4)).sum().backward()
    optimizer.step()
    content = {"state_dict": wrapped, "best": np.float64(0.5), "epoch": 3}
    content |= {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    torch.save(content, tmp_path / "last.pt", **options)
    assert_same(read_arrays(tmp_path / "last.pt"), as_arrays(net.state_dict()))


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize(
    "dtype", "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 bool".split()
)
def test_types_and_views(tmp_path, dtype, options):
    base = torch.arange(24).to(getattr(torch, dtype)).reshape(2, 3, 4)
    state = {
        "whole": base,
        "permuted": base.permute(2, 0, 1),
        "part": base[1, :, 1:3],
        "every_second": base.reshape(-1)[1::2],
        "expanded": base[:1].expand(3, 3, 4),
        "number": base[1, 2, 3],
        "none": base[:, :0],
        "parameter": torch.nn.Parameter(base.clone(), requires_grad=False),
    }
    torch.save(state, tmp_path / "types.bin", **options)
    assert_same(read_arrays(tmp_path / "types.bin"), as_arrays(state))


def test_without_checksums(tmp_path, net):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(net.state_dict(), tmp_path / "net.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert_same(read_arrays(tmp_path / "net.pth"), as_arrays(net.state_dict()))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_without_torch_save(tmp_path, net, protocol):
    content = {"model": net.state_dict(), "__author__": "kmaskrcnn"}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(content, protocol))
    assert_same(read_arrays(tmp_path / "net.pkl"), as_arrays(net.state_dict()))


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS.keys())
def test_whole_models_are_refused_with_advice(tmp_path, net, options):
    torch.save(net.body, tmp_path / "model.pth", **options)
    expected = r"model\.pth was not read: it asks for 'torch\.nn\..*save model\.state_dict\(\)"
    with pytest.raises(ValueError, match=expected):
        read_arrays(tmp_path / "model.pth")


def test_torch_is_not_needed(tmp_path, net):
    """Nor TensorFlow, nor Python's unpickler: the readers alone are imported."""
    torch.save(net.state_dict(), tmp_path / "net.pth")
    code = (
        "import sys, types; weights = types.ModuleType('kmaskrcnn.weights')\n"
        "import kmaskrcnn; weights.__path__ = [kmaskrcnn.__path__[0] + '/weights']\n"
        "sys.modules['kmaskrcnn.weights'] = weights\n"
        "from kmaskrcnn.weights.files.checkpoints import read_arrays\n"
        f"assert len(read_arrays({str(tmp_path / 'net.pth')!r})) == {len(net.state_dict())}\n"
        "assert not {'torch', 'tensorflow', 'keras'} & set(sys.modules), 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
