"""Writes pickles with the instructions and names that files of generators have.

For tests only, and for the fuzz run. Values are given as they should come back, a tensor as a
tensor for instance; `Call` stands for an object of a class that is not here. Nothing is looked up,
so a hostile file is written as easily as an honest one, and `Raw` writes any bytes at all.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.unpickling.emitter import Call, Emitter, Name, Outside, Raw

__all__ = ["Call", "Name", "Outside", "Raw"]

PERSISTENT = "torch_utils.persistence _reconstruct_persistent_obj"
SOURCE = "class Network:\n    pass\n"
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
STORAGES = {
    torch.float32: "FloatStorage",
    torch.float16: "HalfStorage",
    torch.bfloat16: "BFloat16Storage",
    torch.float64: "DoubleStorage",
    torch.int64: "LongStorage",
    torch.int32: "IntStorage",
    torch.uint8: "ByteStorage",
    torch.bool: "BoolStorage",
}


def write_pickle(path: Path | str, value: object, protocol: int = 4) -> Path:
    """Write a value as a bare pickle; give the path."""
    Path(path).write_bytes(pickled(value, protocol))
    return Path(path)


def pickled(value: object, protocol: int = 4) -> bytes:
    """A value as the bytes of a pickle of protocol 2, 3 or 4."""
    return Emitter(protocol, _as_call).whole(value)


def persistent(class_name: str, state: dict[str, Any], module_src: str = SOURCE) -> Call:
    """An object of NVIDIA's persistence."""
    meta = {"type": "class", "version": 6, "module_src": module_src}
    return Call(PERSISTENT, ({**meta, "class_name": class_name, "state": state},))


def module_state(
    parameters: dict[str, Tensor],
    buffers: dict[str, Tensor],
    modules: dict[str, Any],
    **attributes: Any,
) -> dict[str, Any]:
    """The attributes that a torch.nn.Module of torch 1.7 has."""
    hooks = ("_backward_hooks", "_forward_hooks", "_forward_pre_hooks", "_state_dict_hooks")
    return {
        "training": False,
        "_parameters": ordered({name: parameter(value) for name, value in parameters.items()}),
        "_buffers": ordered(buffers),
        "_non_persistent_buffers_set": Call("builtins set", ([],)),
        **{name: ordered({}) for name in hooks},
        "_load_state_dict_pre_hooks": ordered({}),
        "_modules": ordered(modules),
        **attributes,
    }


def ordered(items: dict[Any, Any]) -> Call:
    """An OrderedDict."""
    return Call("collections OrderedDict", items=items)


def easy(items: dict[Any, Any]) -> Call:
    """An EasyDict."""
    return Call("dnnlib.util EasyDict", new=True, items=items)


def parameter(tensor: Tensor) -> Call:
    """A torch.nn.Parameter."""
    return Call("torch._utils _rebuild_parameter", (tensor, True, ordered({})))


def tensorflow_network(
    name: str, static_kwargs: dict[str, Any], variables: dict[str, Any], **components: Any
) -> Call:
    """A network as the TensorFlow code of NVIDIA pickles it."""
    state = {
        "version": 4,
        "name": name,
        "static_kwargs": static_kwargs,
        "components": components,
        "build_module_src": "def network(): pass\n",
        "build_func_name": "network",
        "variables": list(variables.items()),
    }
    return Call("dnnlib.tflib.network Network", state=state, new=True)


def rebuilt(tensor: Tensor, storage: object) -> Call:
    """A tensor as a view of a storage, which is given as it should be written."""
    view = (tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
    return Call("torch._utils _rebuild_tensor_v2", (storage, *view, False, ordered({})))


def nested(tensor: Tensor) -> Call:
    """A tensor as a bare pickle holds it: its storage is a torch file, as bytes."""
    data = write_torch_legacy_bytes(tensor)
    return rebuilt(tensor, Call("torch.storage _load_from_bytes", (data,)))


def storage_bytes(tensor: Tensor) -> bytes:
    """The bytes of the whole storage that a tensor is a view of."""
    storage = tensor.untyped_storage()
    return torch.empty(0, dtype=torch.uint8).set_(storage).numpy().tobytes()


def storage_identifier(tensor: Tensor, key: str = "94", claimed: int | None = None) -> Outside:
    """What stands for the storage of a tensor in the older form of a torch file."""
    elements = len(storage_bytes(tensor)) // tensor.element_size()
    storage_class = Name(f"torch {STORAGES[tensor.dtype]}")
    count = elements if claimed is None else claimed
    return Outside(("storage", storage_class, key, "cpu", count, None))


def write_torch_legacy_bytes(tensor: Tensor, claimed: int | None = None) -> bytes:
    """The storage of a tensor as a torch file of the older form.

    Args:
        tensor: On the CPU.
        claimed: The number of elements that the file claims; None for the true one.
    """
    return legacy_file(storage_identifier(tensor, claimed=claimed), {"94": tensor})


def legacy_file(value: object, storages: dict[str, Tensor], little_endian: bool = True) -> bytes:
    """A torch file of the older form, of a value that holds `storage_identifier`."""
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": sizes}
    heads = (MAGIC_NUMBER, 1001, system, value, sorted(storages))
    data = b"".join(pickled(head, protocol=2) for head in heads)
    for key in sorted(storages):
        content = storage_bytes(storages[key])
        data += struct.pack("<q", len(content) // storages[key].element_size()) + content
    return data


def _as_call(value: object) -> Call:
    match value:
        case Tensor():
            return nested(value)
        case np.ndarray():
            return _array(value)
        case np.generic():
            return Call("numpy.core.multiarray scalar", (numpy_dtype(value.dtype), value.tobytes()))
        case _:
            raise TypeError(f"cannot write {type(value)}")


def numpy_dtype(dtype: np.dtype[Any]) -> Call:
    """A dtype of numpy."""
    order = {"|": "|", "=": "<" if sys.byteorder == "little" else ">"}.get(
        dtype.byteorder, dtype.byteorder
    )
    state = (3, order, None, None, None, -1, -1, 0)
    return Call("numpy dtype", (f"{dtype.kind}{dtype.itemsize}", False, True), state)


def _array(array: np.ndarray[Any, Any]) -> Call:
    fortran = bool(array.flags.fnc)
    data = array.tobytes("F" if fortran else "C")
    empty = (Name("numpy ndarray"), (0,), b"b")
    state = (1, array.shape, numpy_dtype(array.dtype), fortran, data)
    return Call("numpy.core.multiarray _reconstruct", empty, state)
