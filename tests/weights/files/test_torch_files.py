import pickle
import zipfile

import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays
from tests.weights.expected import FILES, assert_same, tensor_arrays, torch_arrays
from tests.weights.hostile import (
    archive,
    cheap,
    floats,
    model,
    named,
    older,
    short,
    storage,
    tensor,
    value,
)


@pytest.mark.parametrize("name", ["checkpoint.pth", "legacy.pth"])
def test_file_of_torch(name):
    """Of 2.13, in the archive of 1.6 and later, and in the form before it."""
    assert_same(read_arrays(FILES / name), torch_arrays())


@pytest.mark.parametrize("ending", [".pt", ".bin", ".pkl", ".PTH"])
@pytest.mark.parametrize("name", ["checkpoint.pth", "legacy.pth"])
def test_the_content_says_which_of_the_kinds_it_is(tmp_path, name, ending):
    path = tmp_path / f"weights{ending}"
    path.write_bytes((FILES / name).read_bytes())
    assert_same(read_arrays(path), torch_arrays())


@pytest.mark.parametrize("name", ["tensors2.pkl", "tensors4.pkl"])
def test_tensors_in_a_plain_pickle(name):
    assert_same(read_arrays(FILES / name), tensor_arrays())


def test_archive_without_checksums(tmp_path):
    """``torch.serialization.set_crc32_options(False)`` writes zeros for them."""
    content = bytearray((FILES / "checkpoint.pth").read_bytes())
    for member in zipfile.ZipFile(FILES / "checkpoint.pth").infolist():
        checksum = member.CRC.to_bytes(4, "little")
        content = content.replace(checksum, b"\x00" * 4)
    (tmp_path / "unchecked.pth").write_bytes(content)
    assert_same(read_arrays(tmp_path / "unchecked.pth"), torch_arrays())


def test_packed_archive(tmp_path):
    """PyTorch never packs; whoever packs by hand gets his weights as well."""
    path = tmp_path / "packed.pth"
    with zipfile.ZipFile(FILES / "checkpoint.pth") as source:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                target.writestr(name, source.read(name))
    assert_same(read_arrays(path), torch_arrays())


def test_big_endian_archive(tmp_path):
    content = model(tensor(storage(count=3, kind="FloatStorage"), shape=(3,)))
    path = archive(tmp_path / "big.pth", content, {"0": np.arange(3, dtype=">f4").tobytes()})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("archive/byteorder", "big")
    assert_same(read_arrays(path), {"w": np.arange(3, dtype=np.float32)})


def test_storage_within_a_storage(tmp_path):
    """Older files say of a storage that it is a piece of another."""
    parts = short("storage") + named("torch", "ByteStorage") + short("0") + short("cpu")
    inner = b"(" + parts + value(4) + value(("1", 2, 2)) + b"tQ"
    path = older(tmp_path / "in.pth", model(tensor(inner, shape=(2,))), {"0": bytes(range(4))})
    assert_same(read_arrays(path), {"w": np.array([2, 3], np.uint8)})
    path = older(tmp_path / "in.pth", model(tensor(inner, shape=(3,))), {"0": bytes(range(9))})
    with pytest.raises(ValueError, match="reaches beyond its storage"):
        read_arrays(path)


def test_storages_of_the_first_cuda(tmp_path):
    stored = storage(count=2, kind="FloatStorage").replace(b"ctorch\n", b"ctorch.cuda\n")
    path = archive(tmp_path / "cuda.pth", model(tensor(stored, shape=(2,))), {"0": floats(2)})
    assert_same(read_arrays(path), {"w": np.arange(2, dtype=np.float32)})


# What follows is written to do harm, or cut, or wrong.

TENSORS = {
    "offset": (tensor(storage(), 1), r"w of shape \(4,\) reaches beyond its storage"),
    "shape": (tensor(storage(), shape=(5,)), "reaches beyond its storage"),
    "stride": (tensor(storage(), shape=(2,), strides=(4,)), "reaches beyond its storage"),
    "far offset": (tensor(storage(), 2**62), "reaches beyond its storage"),
    "overflow": (tensor(storage(), 0, (2, 2), (2**63, 2**63)), "reaches beyond its storage"),
    "negative offset": (tensor(storage(), -1), "the offset of w is not made of whole numbers"),
    "negative stride": (tensor(storage(), 3, strides=(-1,)), "the strides of w"),
    "negative side": (tensor(storage(), shape=(-4,)), "the shape of w"),
    "fraction": (tensor(storage(), shape=(4.0,)), "the shape of w"),
    "text": (tensor(storage(), shape="4"), "the shape of w"),
    "sides and strides": (tensor(storage(), shape=(2, 2)), "longer than argument|shorter than"),
    "many sides": (tensor(storage(), 0, (1,) * 40, (1,) * 40), "at most 32 numbers"),
    "the same again and again": (
        tensor(storage(), shape=(2**20, 2**20), strides=(0, 0)),
        "w of shape .* more than the 67,108,864 bytes",
    ),
    "nothing of a giant": (tensor(storage(), 0, (0, 2**62, 2**62), (1, 1, 1)), "is no whole"),
    "count of the storage": (tensor(storage(count=2)), "reaches beyond its storage"),
    "bytes of the storage": (
        tensor(storage(count=2**40), shape=(2**20,)),
        "reaches beyond its storage",
    ),
    "negative storage": (tensor(storage(count=-1)), "the size of a storage"),
    "no such storage": (tensor(storage("1")), "is no whole"),
    "long key": (tensor(storage("1" * 100)), "a storage without key"),
    "way out": (tensor(storage("../data.pkl")), "is no whole"),
    "no storage": (tensor(value(7)), "a tensor without storage"),
    "storage of no type": (
        b"(" + short("storage") + short("x") + short("0") + short("cpu") + b"K\x04tQ",
        "without type",
    ),
    "not a storage": (value(("module", 1)) + b"Q", "a storage without type, key and size"),
    "quantised": (named("torch._utils", "_rebuild_qtensor"), "asks for 'torch._utils._rebuild_q"),
    "parameter of nothing": (
        named("torch._utils", "_rebuild_parameter") + value((1, True, None)) + b"R",
        "a parameter without tensor",
    ),
    "storage of a pickle": (
        named("torch.storage", "_load_from_bytes") + value((b"",)) + b"R",
        "asks for 'torch.storage._load_from_bytes'",
    ),
}


@pytest.mark.parametrize("write", [archive, older])
@pytest.mark.parametrize("content, message", TENSORS.values(), ids=TENSORS.keys())
def test_tensors_that_lie(tmp_path, write, content, message):
    path = write(tmp_path / "evil.pth", model(content), {"0": bytes(4)})
    with cheap(2), pytest.raises(ValueError, match=rf"evil\.pth .*({message})"):
        read_arrays(path)


def test_conjugated_tensor(tmp_path):
    bits = tensor(storage()).removesuffix(b"tR") + value({"conj": True}) + b"tR"
    with pytest.raises(ValueError, match="conjugated or negated"):
        read_arrays(archive(tmp_path / "conj.pth", model(bits), {"0": bytes(4)}))


def test_bomb_of_an_archive(tmp_path):
    path = archive(
        tmp_path / "bomb.pth",
        model(tensor(storage())),
        {"0": bytes(100 << 20)},
        compression=zipfile.ZIP_DEFLATED,
    )
    assert path.stat().st_size < 200_000
    with (
        cheap(),
        pytest.raises(ValueError, match="bomb.pth was not read: what it unpacks to: more"),
    ):
        read_arrays(path)


def test_bomb_that_says_it_is_small(tmp_path):
    """The archive says 1,000 bytes, the packed data go on for 100 MiB."""
    path = archive(
        tmp_path / "bomb.pth",
        model(tensor(storage())),
        {"0": bytes(100 << 20)},
        compression=zipfile.ZIP_DEFLATED,
    )
    lie = path.read_bytes().replace((100 << 20).to_bytes(4, "little"), b"\xe8\x03\x00\x00")
    path.write_bytes(lie)
    with cheap(), pytest.raises(ValueError, match=r"bomb\.pth is no whole \.pth"):
        read_arrays(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_python_unpacks_in_one_go(tmp_path, method):
    path = archive(tmp_path / "bomb.pth", model(b"N"), {"0": bytes(10 << 20)}, compression=method)
    with cheap(), pytest.raises(ValueError, match="encrypted or not packed by deflate"):
        read_arrays(path)


def test_encrypted_archive(tmp_path):
    path = archive(tmp_path / "secret.pth", model(b"N"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="encrypted"):
        read_arrays(path)


def test_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.pth", "w") as file:
        file.writestr("readme.txt", "no weights")
    with pytest.raises(ValueError, match=r"an archive without data\.pkl, but with readme\.txt"):
        read_arrays(tmp_path / "other.pth")


def test_header_of_a_member_elsewhere(tmp_path):
    path = archive(tmp_path / "moved.pth", model(tensor(storage())), {"0": bytes(4)})
    data = bytearray(path.read_bytes())
    member = data.rindex(b"PK\x01\x02")
    data[member + 16 : member + 20] = bytes(4)  # the checksum
    data[member + 42 : member + 46] = (3).to_bytes(4, "little")  # where it lies
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not where the archive says"):
        read_arrays(path)


KEYS = pickle.dumps(["0"], 2)
OLDER = {
    "count of a storage": (bytes([4]) + bytes(7), b"\xff" * 8, "bytes were announced, 4 are left"),
    "protocol": (value(1001), value(1002), "not what torch.save wrote before"),
    "machine": (pickle.dumps({"little_endian": True}, 2), pickle.dumps([], 2), "not what torch"),
    "keys": (KEYS, pickle.dumps("0", 2), "the keys of its storages are no list"),
    "another key": (KEYS, pickle.dumps(["1"], 2), "is no whole"),
    "too many keys": (KEYS, pickle.dumps(["0", "0"], 2), "bytes were announced, 0 are left"),
    "no key": (KEYS, pickle.dumps([], 2), "is no whole"),
}


@pytest.mark.parametrize("part, lie, message", OLDER.values(), ids=OLDER.keys())
def test_older_files_that_lie(tmp_path, part, lie, message):
    path = older(tmp_path / "evil.pth", model(tensor(storage())), {"0": bytes(4)})
    data = path.read_bytes()
    assert part in data
    path.write_bytes(data.replace(part, lie))
    with cheap(2), pytest.raises(ValueError, match=rf"evil\.pth .*{message}"):
        read_arrays(path)


def test_storages_in_storages(tmp_path):
    """A storage within a pickle holds no further ones, and counts on the steps of the whole."""
    load = named("torch.storage", "_load_from_bytes")
    inner = older(tmp_path / "inner", load + value((b"",)) + b"R.").read_bytes()
    path = tmp_path / "nested.pkl"
    path.write_bytes(b"\x80\x03" + load + pickle.dumps((inner,), 3)[2:-1] + b"R.")
    with pytest.raises(ValueError, match="asks for 'torch.storage._load_from_bytes'"):
        read_arrays(path)


def test_one_storage_unpacked_again_and_again(tmp_path):
    inner = older(tmp_path / "inner", storage(count=1 << 20) + b".", {"0": bytes(1 << 20)})
    load = named("torch.storage", "_load_from_bytes")
    data = pickle.dumps((inner.read_bytes(),), 3)[2:-1]
    path = tmp_path / "again.pkl"
    path.write_bytes(b"\x80\x03(" + data + b"q\x09" + (load + b"h\x09R") * 1000 + b"t.")
    with cheap(180), pytest.raises(ValueError, match="more than the 67,108,864 bytes"):
        read_arrays(path)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in FILES.iterdir() if path.suffix != ".py")
)
def test_files_cut_short(tmp_path, name):
    """Wherever a file is cut, one sentence says so."""
    data = (FILES / name).read_bytes()
    path = tmp_path / name
    for end in range(0, len(data) - 1, max(1, len(data) // 60)):
        path.write_bytes(data[:end])
        with pytest.raises(ValueError, match=rf"{name} is no whole .*; it may be cut short"):
            read_arrays(path)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in FILES.iterdir() if path.suffix != ".py")
)
def test_files_with_a_wrong_byte(tmp_path, name):
    """They are read or refused with a ``ValueError``, and cost little."""
    data = (FILES / name).read_bytes()
    path = tmp_path / name
    random = np.random.default_rng(0)
    with cheap(70, seconds=60):
        for _ in range(60):
            spoiled = bytearray(data)
            for place in random.integers(0, len(data), 3):
                spoiled[place] = random.integers(256)
            path.write_bytes(spoiled)
            try:
                read_arrays(path)
            except ValueError as error:
                assert name in str(error)
