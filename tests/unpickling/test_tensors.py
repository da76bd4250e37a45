"""Storages, and views that stay inside of them."""

import pytest
import torch

from regen.errors import UnpicklingError
from regen.unpickling import tensors
from regen.unpickling.known import known
from regen.unpickling.source import Span
from regen.unpickling.values import Context
from tests.unpickling.budgets import budget_for

FLAT = torch.arange(12.0)


def test_a_view_shares_the_memory_of_its_storage():
    seen = tensors.view(FLAT, 2, (2, 3), (4, 1))
    assert torch.equal(seen, torch.tensor([[2.0, 3.0, 4.0], [6.0, 7.0, 8.0]]))
    assert seen.untyped_storage().data_ptr() == FLAT.untyped_storage().data_ptr()
    assert tensors.view(FLAT, 12, (0, 5), (5, 1)).shape == (0, 5)
    assert tensors.view(FLAT, 3, (), ()).item() == 3


@pytest.mark.parametrize(
    ("storage", "offset", "sizes", "strides", "words"),
    [
        (
            FLAT,
            2,
            (2, 3),
            (8, 1),
            r"\[2, 3\] and strides \[8, 1\] at 2 reaches .*12 el",
        ),
        (FLAT, 13, (0,), (1,), "reaches outside"),
        (FLAT, -1, (2,), (1,), "negative"),
        (FLAT, 0, (True,), (1,), "not a number"),
        (FLAT, 0, (2, 2), (1,), "one stride"),
        (FLAT, 0, (1,) * 33, (1,) * 33, "33 sizes: expected at most 32"),
        (FLAT, 0, (1 << 21,), (0,), "2,097,152 elements has a storage of 12"),
        (FLAT, 0, 3, (1,), "sizes of a tensor are int"),
        (FLAT.reshape(3, 4), 0, (1,), (1,), "lies in"),
        ("FLAT", 0, (1,), (1,), "lies in text"),
    ],
)
def test_views_that_do_not_fit(storage, offset, sizes, strides, words):
    with pytest.raises(UnpicklingError, match=words):
        tensors.view(storage, offset, sizes, strides)


def test_bytes_become_a_dtype():
    flat = torch.tensor([0, 0, 128, 63], dtype=torch.uint8)
    assert tensors.typed(flat, torch.float32).tolist() == [1.0]
    with pytest.raises(UnpicklingError, match="4 bytes .*torch.float64"):
        tensors.typed(flat, torch.float64)


def test_a_block_costs_its_bytes():
    assert tensors.read_block(Span.of(b"\x01\x02"), budget_for(0)).tolist() == [1, 2]
    budget = budget_for(0)
    budget.bytes_left = 1
    with pytest.raises(UnpicklingError, match="more than its own size"):
        tensors.read_block(Span.of(b"\x01\x02"), budget)


def test_a_storage_class_has_a_dtype():
    assert tensors.storage_dtype(known("torch.BFloat16Storage")) == torch.bfloat16
    for other in (known("torch.Size"), "FloatStorage"):
        with pytest.raises(UnpicklingError, match="a storage is"):
            tensors.storage_dtype(other)


def test_parameters_are_their_tensors():
    context = Context(budget_for(0), len)
    name = "torch._utils._rebuild_parameter"
    assert tensors.parameter(context, name, (FLAT, True, {})) is FLAT
    rebuild = known("torch._utils._rebuild_tensor_v2")
    view = (FLAT, 1, (2,), (1,), False, {})
    subclass = (rebuild, known("torch.Tensor"), view, None)
    assert tensors.subclassed(context, "s", subclass).tolist() == [1, 2]
    for arguments in ((), ("a", True, {})):
        with pytest.raises(UnpicklingError, match="unusual arguments"):
            tensors.parameter(context, name, arguments)
