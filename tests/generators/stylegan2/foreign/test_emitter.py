"""Pickles that are written opcode by opcode, read by Python's own unpickler and by ours."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from regen.generators.stylegan2.foreign.emitter import Call, Name, emit
from regen.unpickling import read_pickle

PLAIN = [
    None,
    [True, False],
    (0, -1, 255, 2**31 - 1, -(2**31), 2**31, -(2**40), 2**200),
    {"a": 0.5, "nested": {"b": [b"", b"\x00\xff"], "c": ()}},
    OrderedDict(x="ü€😀", y=""),
]


def emitted(value: object) -> bytes:
    file = io.BytesIO()
    emit(value, file)
    return file.getvalue()


@pytest.mark.parametrize("value", PLAIN)
def test_python_reads_what_was_written(value: object) -> None:
    again = pickle.loads(emitted(value))
    assert again == value and type(again) is type(value)


def test_a_call_is_one_object_wherever_it_stands() -> None:
    call = Call(Name("collections", "Counter"), (["a", "b", "a"],))
    one, other, another = pickle.loads(emitted([call, call, Call(call.function, call.arguments)]))
    assert one is other and one is not another and one == another == {"a": 2, "b": 1}


def test_tensors_and_parameters_come_back(tmp_path: Path) -> None:
    tensor = torch.randn(4, 3, 2)
    value = {
        "tensor": tensor,
        "view": tensor.transpose(0, 1),
        "parameter": torch.nn.Parameter(tensor[0], requires_grad=False),
        "scalar": torch.tensor(2.5),
    }
    (tmp_path / "a.pkl").write_bytes(emitted(value))
    again = read_pickle(tmp_path / "a.pkl")
    assert isinstance(again, dict) and again.keys() == value.keys()
    assert all(torch.equal(again[name], found) for name, found in value.items())


def test_what_cannot_be_written_is_named() -> None:
    with pytest.raises(TypeError, match="cannot write set into a pickle"):
        emitted([{1}])
    with pytest.raises(TypeError, match=r"cannot write a tensor of torch\.float64 on cpu"):
        emitted(torch.zeros(2, dtype=torch.float64))
