"""Tensors in tuples, lists, dictionaries and dataclasses: taken out, and replaced by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor


def _parts(tree: Any) -> list[Any] | None:
    """What a tuple, list, dictionary or dataclass consists of; None for anything else."""
    if isinstance(tree, (tuple, list)):
        return list(tree)
    if isinstance(tree, dict):
        return list(tree.values())
    if is_dataclass(tree) and not isinstance(tree, type):
        return [getattr(tree, field.name) for field in fields(tree)]
    return None


def tensors_of(tree: Any) -> Iterator[Tensor]:
    """All tensors of a tree, in order."""
    if isinstance(tree, Tensor):
        yield tree
    for part in _parts(tree) or []:
        yield from tensors_of(part)


def outline_of(tree: Any) -> object:
    """What is equal for trees that one recording serves."""
    if isinstance(tree, Tensor):
        return tuple(tree.shape), tree.stride(), tree.dtype
    parts = _parts(tree)
    if parts is None:
        return tree
    names = tuple(tree) if isinstance(tree, dict) else None
    return type(tree), names, *map(outline_of, parts)


def with_tensors(tree: Any, tensors: Iterator[Tensor]) -> Any:
    """The same tree of other tensors."""
    if isinstance(tree, Tensor):
        return next(tensors)
    parts = _parts(tree)
    if parts is None:
        return tree
    made = [with_tensors(part, tensors) for part in parts]
    if isinstance(tree, list):
        return made
    if isinstance(tree, dict):
        return dict(zip(tree, made, strict=True))
    if isinstance(tree, tuple):
        return type(tree)(*made) if hasattr(tree, "_fields") else tuple(made)
    return replace(tree, **dict(zip((field.name for field in fields(tree)), made, strict=True)))
