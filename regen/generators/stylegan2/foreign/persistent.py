"""Objects of NVIDIA's `torch_utils.persistence` for a pickle, with a text of ours as their source.

The loader makes a Python module of a text in the pickle and takes a class from it. Our text
(`CLASSES`) imports that class from the repository the pickle is opened in, so the file holds none
of NVIDIA's source and fits whichever release is installed.

Letters: r resolution.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from regen.generators.stylegan2.foreign.emitter import Call, Name

CLASSES = '''"""The networks of the repository that this file is opened in. Written by regen."""
from importlib.util import find_spec
from torch.nn import Identity
if find_spec("training.networks_stylegan2"):  # stylegan3, DragGAN
    from training.networks_stylegan2 import *
else:  # stylegan2-ada-pytorch
    from training.networks import *
'''

EMPTY = "Identity"  # class of what stands in for a discriminator that is not there
USUAL_TAPS = (1.0, 3.0, 3.0, 1.0)

_RECONSTRUCT = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
_VERSION = 6  # of that module's format

Tensors = Mapping[str, Tensor]


def persistent(
    class_name: str,
    attributes: Mapping[str, Any],
    *,
    parameters: Tensors | None = None,
    buffers: Tensors | None = None,
    modules: Mapping[str, Call] | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Call:
    """A torch module as an object of `torch_utils.persistence`.

    Args:
        class_name: One that `CLASSES` imports.
        attributes: Its plain attributes.
        parameters: By name; they require no gradients.
        buffers: By name.
        modules: The modules in it.
        arguments: What its class makes an equal one from.
    """
    weights = {n: nn.Parameter(t, requires_grad=False) for n, t in (parameters or {}).items()}
    hooks = ("backward", "forward", "forward_pre", "state_dict", "load_state_dict_pre")
    state = {
        "training": False,
        "_parameters": OrderedDict(weights),
        "_buffers": OrderedDict(buffers or {}),
        "_non_persistent_buffers_set": Call(Name("builtins", "set"), ([],)),
        **{f"_{kind}_hooks": OrderedDict() for kind in hooks},
        "_is_full_backward_hook": None,
        "_modules": OrderedDict(modules or {}),
        **attributes,
        "_init_args": (),
        "_init_kwargs": dict(arguments or {}),
    }
    meta = {
        "type": "class",
        "version": _VERSION,
        "module_src": CLASSES,
        "class_name": class_name,
        "state": state,
    }
    return Call(_RECONSTRUCT, (meta,))


def dense(tensors: Tensors, name: str, *, act: str = "linear", lr: float = 1.0) -> Call:
    """The fully connected layer `name`."""
    weight = tensors[f"{name}.weight"]
    outputs, inputs = weight.shape
    attributes = {
        "in_features": inputs,
        "out_features": outputs,
        "activation": act,
        "weight_gain": lr / math.sqrt(inputs),
        "bias_gain": lr,
    }
    parameters = {"weight": weight, "bias": tensors[f"{name}.bias"]}
    return persistent("FullyConnectedLayer", attributes, parameters=parameters)


def mapping(
    tensors: Tensors, attributes: Mapping[str, Any], lr: float, mean: Tensor | None = None
) -> Call:
    """The mapping network, of z or of labels."""
    modules: dict[str, Call] = {}
    if "mapping.embed.weight" in tensors:
        modules["embed"] = dense(tensors, "mapping.embed")
    for i in range(attributes["num_layers"]):
        modules[f"fc{i}"] = dense(tensors, f"mapping.fc{i}", act="lrelu", lr=lr)
    buffers = {} if mean is None else {"w_avg": mean}
    return persistent("MappingNetwork", attributes, buffers=buffers, modules=modules)


def in_half(r: int, resolution: int, num_fp16_res: int) -> bool:
    """Whether NVIDIA's code computes the block at `r` in float16 on a GPU."""
    return r >= max(2 * resolution >> num_fp16_res, 8)
