"""`regen.files.safetensors_head`, through the readers: what a header may say, and may not."""

import json
import struct

import pytest
import safetensors.torch
import torch

from regen.errors import StoreError
from regen.files import tensor_file, tensor_header

GOOD = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
HALF = 1 << 47


def write(path, head, data=bytes(16)):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(**changes):
    return {"a": {**GOOD, **changes}}


def foreign_tensors(path):
    with path.open("rb") as file:
        return tensor_file.foreign_tensors(path, file)


READERS = (tensor_file.load, tensor_file.read_header, foreign_tensors, tensor_file.has_header)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (entry(data_offsets=[0, 1 << 70]), "sizes or offsets of a are negative, too large or not"),
        (entry(data_offsets=[0, 1e30]), "sizes or offsets of a are negative, too large or not"),
        (entry(data_offsets=[0, 16.0]), "sizes or offsets of a are negative, too large or not"),
        (entry(data_offsets=[-16, 0]), "sizes or offsets of a are negative, too large or not"),
        (entry(data_offsets=[True, 16]), "sizes or offsets of a are negative, too large or not"),
        (entry(data_offsets=[0, 10**400]), "it holds a number of 401 digits"),
        (entry(data_offsets=[16]), "a has no shape and no two offsets"),
        (entry(data_offsets={"0": 1}), "a has no shape and no two offsets"),
        (entry(shape=[1 << 70]), "sizes or offsets of a are negative, too large or not"),
        (entry(shape=[HALF, HALF]), "sizes or offsets of a are negative, too large or not"),
        (entry(shape=[0, HALF, HALF], data_offsets=[0, 0]), "sizes or offsets of a are negative"),
        (entry(shape=[HALF, HALF, 0], data_offsets=[0, 0]), "sizes or offsets of a are negative"),
        (entry(shape=[1] * 100), "sizes or offsets of a are negative, too large or not"),
        (entry(shape=[-2, -2]), "sizes or offsets of a are negative, too large or not"),
        (entry(shape="22"), "a has no shape and no two offsets"),
        (entry(shape=[2, 3]), r"a has 16 bytes for a shape of \[2, 3\]"),
        (entry(data_offsets=[16, 0]), r"a has -16 bytes for a shape of \[2, 2\]"),
        ({"a": 3}, "a has no shape and no two offsets"),
        ({"a": None}, "a has no shape and no two offsets"),
        ({"x" * 500: None}, "x{80} has no shape"),
        ({str(n): GOOD for n in range(20_001)}, "it has 20,001 tensors, expected at most 20,000"),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", "nested deeper than 64 levels"),
        (b'{"a": NaN}', "it holds NaN"),
        (b'{"a": \xff}', "it is not valid JSON"),
    ],
)
@pytest.mark.parametrize("read", READERS)
def test_headers_that_do_not_fit(tmp_path, read, head, words):
    path = write(tmp_path / "a", head)
    with pytest.raises(StoreError, match=rf"is damaged: its header cannot be read \(.*{words}"):
        read(path)


@pytest.mark.parametrize("read", READERS)
def test_a_header_of_many_megabytes_is_not_even_parsed(tmp_path, monkeypatch, read):
    path = write(tmp_path / "a", b"{" + b" " * (9 << 20) + b"}")
    monkeypatch.setattr(tensor_header, "parse_head", None)
    with pytest.raises(StoreError, match="is damaged: its header of 9,437,186 bytes is too long"):
        read(path)


@pytest.mark.parametrize("size", [1 << 63, (1 << 64) - 1, 1 << 40])
def test_a_length_that_is_not_there(tmp_path, size):
    (tmp_path / "a").write_bytes(struct.pack("<Q", size) + b'{"a":1}')
    with pytest.raises(StoreError, match="is damaged: truncated at 15 bytes, inside its header"):
        tensor_file.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format": "a", "version": 1' + "0" * 400 + "}", "it holds a number of 401 digits"),
        ('{"format": "a", "version": 1e400}', "it holds the number 1e400, which is too large"),
        (
            '{"format": "a", "version": 1, "x": ' + "[" * 70 + "]" * 70 + "}",
            "nested deeper than 64",
        ),
        ('{"format": "a", "version": 1, "x": Infinity}', "it holds Infinity"),
        ("3", "its header is not an object"),
    ],
)
def test_headers_of_ours_that_do_not_fit(tmp_path, text, words):
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "a", metadata={"regen": text})
    for read in (tensor_file.load, tensor_file.read_header):
        with pytest.raises(StoreError, match=words) as caught:
            read(tmp_path / "a")
        assert str(caught.value).startswith(str(tmp_path / "a"))


def test_a_version_with_many_digits_is_no_trace(tmp_path):
    text = '{"format": "a", "version": ' + "9" * 40 + "}"
    safetensors.torch.save_file({"a": torch.ones(1)}, tmp_path / "a", metadata={"regen": text})
    with pytest.raises(
        StoreError, match="version of the a format: got 99999.*, expected at most 1"
    ):
        tensor_file.load(tmp_path / "a")


def test_halves_of_characters_survive_a_header(tmp_path):
    header = {"format": "a", "version": 1, "source": "caf\udce9.png", "k\ud800": "é"}
    tensor_file.save(tmp_path / "a", {"a": torch.ones(1)}, header)
    assert tensor_file.load(tmp_path / "a").header == tensor_file.read_header(tmp_path / "a")
    assert tensor_file.read_header(tmp_path / "a")["source"] == "caf\udce9.png"


def test_tensors_of_other_tools(tmp_path):
    tensors = {"b.weight": torch.randn(2, 3), "a": torch.ones(1).half(), "none": torch.zeros(0, 3)}
    safetensors.torch.save_file(tensors, tmp_path / "a")
    read = foreign_tensors(tmp_path / "a")
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())
    assert not tensor_file.has_header(tmp_path / "a")
    tensor_file.save(tmp_path / "b", tensors, {"format": "a", "version": 1})
    assert tensor_file.has_header(tmp_path / "b") and foreign_tensors(tmp_path / "b") is None


def test_a_name_too_long_for_the_system():
    with pytest.raises(StoreError, match="cannot read x+: File name too long; check the file"):
        tensor_file.load("x" * 5000)
