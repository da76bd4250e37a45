"""Tensors are found in a tree in one order, and are put back in the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from regen.training.trees import outline_of, tensors_of, with_tensors


class Pair(NamedTuple):
    one: Tensor
    other: Tensor | None


@dataclass(frozen=True)
class Leaf:
    tensor: Tensor
    name: str


def tree(first: float, name: str = "a") -> tuple[Pair, list[Leaf], dict[str, Tensor], int]:
    x = torch.full([2], first)
    return Pair(x, None), [Leaf(x + 1, name)], {"k": x + 2}, 7


def test_tensors_go_out_and_back_in() -> None:
    found = list(tensors_of(tree(0.0)))
    assert [int(t[0]) for t in found] == [0, 1, 2]
    other = with_tensors(tree(0.0), iter(tensors_of(tree(5.0))))
    assert [int(t[0]) for t in tensors_of(other)] == [5, 6, 7]
    pair, (leaf,), named, number = other
    assert isinstance(pair, Pair) and pair.other is None and leaf.name == "a"
    assert list(named) == ["k"] and number == 7


def test_an_outline_is_of_everything_but_the_numbers_in_tensors() -> None:
    assert outline_of(tree(0.0)) == outline_of(tree(1.0))
    assert outline_of(tree(0.0)) != outline_of(tree(0.0, "b"))
    wider = [torch.zeros(2, 3), torch.zeros(2, 3).half(), torch.zeros(3, 2).t()]
    assert len({outline_of(x) for x in wider}) == 3
    assert outline_of({"a": wider[0]}) != outline_of({"b": wider[0]})
    assert outline_of([wider[0]]) != outline_of((wider[0],))
    hash(outline_of(tree(0.0)))
