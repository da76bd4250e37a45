from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from regen.errors import StoreError
from regen.files import tensor_file
from regen.files.tensor_parts import open_parts

HEADER = {"format": "things", "version": 2, "note": "mine"}
opened = partial(open_parts, version=2)
TENSORS = {
    "scalar": torch.tensor(1.5),
    "empty": torch.zeros(0, 3),
    "half": torch.randn(2, 3).half(),
    "coarse": torch.randn(4).bfloat16(),
    "wide": torch.randn(3, dtype=torch.float64),
    "counts": torch.tensor([[1, -2]]),
    "flags": torch.tensor([True, False, True]),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tensor_file.save(tmp_path / "t.safetensors", TENSORS, HEADER)
    return tmp_path / "t.safetensors"


@pytest.mark.parametrize("name", TENSORS)
def test_each_tensor_comes_back_alone(path: Path, name: str) -> None:
    with open_parts(path, format="things", version=2) as parts:
        (tensor,) = parts.read([name]).values()
    assert tensor.dtype == TENSORS[name].dtype and torch.equal(tensor, TENSORS[name])


def test_the_header_is_that_of_the_whole_file(path: Path) -> None:
    with opened(path) as parts:
        assert parts.header == tensor_file.read_header(path, version=2)
        assert sorted(parts.names) == sorted(TENSORS)


def test_what_is_read_stays_readable_and_never_changes_the_file(path: Path) -> None:
    before = path.read_bytes()
    with opened(path) as parts:
        read = parts.read(["wide"])["wide"]
    assert torch.equal(read, TENSORS["wide"])
    read += 1
    assert path.read_bytes() == before


def test_what_is_not_asked_for_is_not_looked_at(path: Path) -> None:
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    data[8 + length + head["half"]["data_offsets"][0]] ^= 1
    path.write_bytes(data)
    with opened(path) as parts:
        assert torch.equal(parts.read(["wide"])["wide"], TENSORS["wide"])
        assert not torch.equal(parts.read(["half"])["half"], TENSORS["half"])


def rewrite_entry(path: Path, name: str, **changes: object) -> None:
    """Change what the file says of a tensor, and leave its bytes where they are."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    head[name].update(changes)
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"shape": [4]}, r"24 bytes for a shape of \[4\]"),
        ({"shape": [3, -1]}, "sizes or offsets of wide are negative"),
        ({"dtype": "F7"}, "'F7'"),
        ({"data_offsets": [8, 0]}, "wide has -8 bytes"),
        ({"shape": None}, "wide has no shape"),
    ],
)
def test_entries_that_contradict_themselves(
    path: Path, changes: dict[str, object], why: str
) -> None:
    rewrite_entry(path, "wide", **changes)
    with pytest.raises(StoreError, match=f"is damaged: .*{why}"), opened(path) as parts:
        parts.read(["wide"])


def test_a_tensor_that_is_not_there(path: Path) -> None:
    with opened(path) as parts, pytest.raises(StoreError, match="cannot be read .'other'"):
        parts.read(["other"])


def test_other_files(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none.safetensors does not exist; check the path"):
        open_parts(tmp_path / "none.safetensors").__enter__()
    with pytest.raises(StoreError, match="got a things, expected a rewrite"):
        opened(path, format="rewrite").__enter__()
    with pytest.raises(StoreError, match="version of the things format: got 2, expected at most 1"):
        open_parts(path, format="things").__enter__()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="is damaged: truncated"):
        opened(path).__enter__()
