"""A torch module that was pickled, seen as data: attributes and tensors by dotted name.

An `Instance` holds what pickle would have put into the module's ``__dict__``. Across releases of
torch that is a dict or an ordered one, with more or fewer bookkeeping entries; only
``_parameters``, ``_buffers`` and ``_modules`` are looked at, and plain attributes by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import is_finite
from regen.unpickling import Instance

Attributes = Mapping[str, Any]
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)

_DEEPEST = 12  # modules within modules; the networks read here have 5
_WRAPPERS = ("DataParallel", "DistributedDataParallel")  # of a network for several GPUs
_MOST = 4096  # modules in all; the networks read here have about 100


def as_dict(value: object) -> Mapping[str, Any]:
    """A dict, or the dict inside a stand-in for a subclass of dict; otherwise an empty one."""
    if isinstance(value, Instance):
        value = value.state
    return value if isinstance(value, Mapping) else {}


def as_text(value: object) -> str:
    """A text, shortened; for anything else what it is.

    >>> as_text("skip"), as_text(3)
    ('skip', 'a value of type int')
    """
    return value[:40] if isinstance(value, str) else f"a value of type {type(value).__name__}"


def as_tensor(value: object) -> object:
    """A numpy array or number of floating point as a tensor; anything else as it is."""
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f":
        array = np.asarray(value)
        usual = array.dtype.newbyteorder("=")
        return torch.from_numpy(np.require(array, dtype=usual, requirements=["C", "W"]))
    return value


def is_float(value: object) -> TypeGuard[Tensor]:
    """Whether a value is a tensor of floating point."""
    return isinstance(value, Tensor) and value.dtype in FLOATS


def as_number(value: object) -> float | None:
    """A finite Python or one-element number, None for anything else.

    >>> as_number(256), as_number(None), as_number(True)
    (256.0, None, None)
    """
    if isinstance(value, (Tensor, np.generic, np.ndarray)):
        value = value.item() if math.prod(value.shape) == 1 else None
    return float(value) if is_finite(value) else None  # type: ignore[arg-type]


def as_integer(value: object) -> int | None:
    """An integer, None for anything else.

    >>> as_integer(512), as_integer(True), as_integer(512.0)
    (512, None, None)
    """
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Network:
    """A pickled module and all it contains.

    Attributes:
        class_name: Of the module itself.
        modules: Attributes by dotted name, its own under "".
        tensors: Parameters and buffers by dotted name.
    """

    class_name: str
    modules: dict[str, Attributes]
    tensors: dict[str, Tensor]

    @staticmethod
    def is_one(value: object) -> bool:
        """Whether a value is a pickled torch module."""
        return isinstance(value, Instance) and "_modules" in as_dict(value)

    @classmethod
    def of_state(cls, class_name: str, tensors: Mapping[str, Tensor]) -> Network:
        """A network of which only the tensors are known: its modules have no attributes."""
        places = dict.fromkeys(("", *(name.rpartition(".")[0] for name in tensors)))
        modules: dict[str, Attributes] = {}
        for place in places:
            parts = place.split(".")
            modules |= {".".join(parts[:end]): {} for end in range(len(parts) + 1)}
        return cls(class_name, modules, dict(tensors))

    @classmethod
    def of(cls, value: object, where: str) -> Network:
        """The network of a value for which `is_one` holds.

        Raises:
            GeneratorError: If modules contain each other without end, or are far too many.
        """
        assert isinstance(value, Instance)
        wrapped = as_dict(as_dict(value).get("_modules")).get("module")
        if value.class_name in _WRAPPERS and cls.is_one(wrapped):
            return cls.of(wrapped, where)
        network = cls(value.class_name, {}, {})
        network._add(value, "", 0, where)
        return network

    def _add(self, value: object, prefix: str, depth: int, where: str) -> None:
        if depth > _DEEPEST or len(self.modules) >= _MOST:
            raise GeneratorError(f"{where}: modules nested without end, or far too many")
        attributes = as_dict(value)
        self.modules[prefix] = attributes
        start = f"{prefix}." if prefix else ""
        for room in ("_parameters", "_buffers"):
            for name, tensor in as_dict(attributes.get(room)).items():
                tensor = as_tensor(tensor)
                if isinstance(tensor, Tensor):
                    self.tensors[f"{start}{name}"] = tensor
        for name, child in as_dict(attributes.get("_modules")).items():
            if child is not None:
                self._add(child, f"{start}{name}", depth + 1, where)
