"""`regen.unpickling.torch_files`: forms that today's torch does not write, but files have."""

import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
import torch

from regen.errors import UnpicklingError
from regen.unpickling import globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import writer
from tests.unpickling.hostile_tensors import zipped
from tests.unpickling.writer import Name, Outside

ROOT = Path(__file__).parents[2]


def zip_of(tensor):
    storage = Outside(("storage", Name("torch FloatStorage"), "0", "cuda:1", tensor.numel()))
    pickle = writer.pickled({"w": writer.rebuilt(tensor, storage)}, protocol=2)
    return {"a/data.pkl": pickle, "a/data/0": writer.storage_bytes(tensor), "a/version": b"3\n"}


def write(path, data):
    path.write_bytes(data)
    return path


def test_a_zip64_as_torch_writes_it_over_4_gb(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    data = zipped(zip_of(torch.arange(4.0)))
    assert b"PK\x06\x06" in data and b"PK\x06\x07" in data
    path = write(tmp_path / "a", data)
    assert read_torch_file(path)["w"].tolist() == [0, 1, 2, 3]
    assert sniff(path) == "torch"


def test_a_zip_that_was_unpacked_and_packed_again(tmp_path):
    entries = {"a/": b"", **dict(reversed(zip_of(torch.arange(4.0)).items()))}
    path = write(tmp_path / "a", zipped(entries))
    assert sniff(path) == "torch"
    assert read_torch_file(path)["w"].tolist() == [0, 1, 2, 3]
    assert [named.name for named in globals_of(path)][-1] == "collections.OrderedDict"


def test_a_part_of_a_storage_as_torch_0_1_wrote_it(tmp_path):
    whole = torch.arange(6.0)
    part = Outside(("storage", Name("torch FloatStorage"), "9", "cpu", 6, ("5", 2, 3)))
    view = writer.Call("torch._utils _rebuild_tensor", (part, 1, (2,), (1,)))
    path = write(tmp_path / "a", writer.legacy_file(view, {"9": whole}))
    assert read_torch_file(path).tolist() == [3, 4]


def test_a_class_with_its_source_text(tmp_path):
    linear = Outside(("module", Name("torch.nn.modules.linear Linear"), "linear.py", "import os"))
    value = writer.Raw(writer.pickled(linear, 2)[2:-1] + b")\x81}X\x01\0\0\0aK\x01sb")
    path = write(tmp_path / "a", writer.legacy_file(value, {}))
    module = read_torch_file(path)
    assert (module.class_name, module.state) == ("Linear", {"a": 1})


@pytest.mark.parametrize(
    ("storages", "message"),
    [
        ({}, "its storages are not those it names"),
        ({"94": torch.ones(2), "95": torch.ones(1)}, "its storages are not those it names"),
        ({"94": torch.ones(3)}, "storage 94 has two sizes"),
    ],
)
def test_storages_that_are_not_those_named(tmp_path, storages, message):
    value = writer.storage_identifier(torch.ones(2))
    path = write(tmp_path / "a", writer.legacy_file(value, storages))
    with pytest.raises(UnpicklingError, match=message):
        read_torch_file(path)


def test_an_empty_zip(tmp_path):
    path = write(tmp_path / "a", zipped({}))
    assert sniff(path) == "unknown"
    with pytest.raises(UnpicklingError, match="does not begin like a file of torch.save"):
        read_torch_file(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_of_a_large_pickle_is_that_of_its_tensors(tmp_path):
    size = 96 << 20
    large = [torch.zeros(size // 8) for _ in range(2)]
    writer.write_pickle(tmp_path / "large", large)
    writer.write_pickle(tmp_path / "small", [torch.zeros(5000)])
    program = f"""
        from pathlib import Path
        from regen.unpickling import read_pickle
        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
        read_pickle({str(tmp_path / "small")!r})
        before = peak()
        value = read_pickle({str(tmp_path / "large")!r})
        print(peak() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0.9 * size < int(done.stdout) < 1.5 * size


def test_tensors_of_a_bare_pickle_may_be_zips(tmp_path):
    storage = Outside(("storage", Name("torch FloatStorage"), "0", "cpu", 4))
    entries = {"a/data.pkl": writer.pickled(storage, 2), "a/data/0": bytes(16)}
    loaded = writer.Call("torch.storage _load_from_bytes", (zipped(entries),))
    path = writer.write_pickle(tmp_path / "a", writer.rebuilt(torch.zeros(2, 2), loaded))
    assert torch.equal(read_pickle(path), torch.zeros(2, 2))


LIMITED = """
import resource
from pathlib import Path
from regen.errors import RegenError
from regen.generators.registry import read_checkpoint
from regen.unpickling import read_pickle, read_torch_file
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
readers = ((read_checkpoint, "c", 6), (read_torch_file, "a", 6), (read_pickle, "b", 6))
for read, name, gigabytes in readers:
    resource.setrlimit(resource.RLIMIT_AS, (used + (gigabytes << 30), resource.RLIM_INFINITY))
    try:
        read(Path({folder!r} + name))
    except RegenError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of address space")
def test_a_file_larger_than_memory_is_refused(tmp_path):
    size = 5 << 30  # of a file with a hole, which takes no room on the disk
    storage = Outside(("storage", Name("torch ByteStorage"), "94", "cpu", size, None))
    head = (
        writer.legacy_file(storage, {})[:-4]
        + writer.pickled(["94"], 2)
        + size.to_bytes(8, "little")
    )
    starts = {"a": (head, b""), "b": (b"\x80\x04\x8e" + size.to_bytes(8, "little"), b".")}
    entry = {"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    text = json.dumps(entry).encode()
    starts["c"] = (len(text).to_bytes(8, "little") + text, b"")
    for name, (start, end) in starts.items():
        with (tmp_path / name).open("wb") as file:
            file.write(start)
            file.truncate(len(start) + size)
            file.seek(0, 2)
            file.write(end)
    program = LIMITED.format(folder=f"{tmp_path}/")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = "needs more memory than there is; use a machine with more"
    assert done.stdout.splitlines() == [
        f"{tmp_path}/c: it {words}",
        f"{tmp_path}/a: it {words}",
        f"{tmp_path}/b: it {words}",
    ]
