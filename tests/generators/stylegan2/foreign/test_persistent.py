"""Objects of NVIDIA's persistence, before they are written."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from regen.generators.stylegan2.foreign.persistent import (
    CLASSES,
    dense,
    in_half,
    mapping,
    persistent,
)


def test_an_object_says_its_class_and_holds_its_state() -> None:
    weight, mean = torch.ones(2), torch.zeros(3)
    inner = persistent("Inner", {})
    call = persistent(
        "Outer",
        {"gain": 2},
        parameters={"weight": weight},
        buffers={"mean": mean},
        modules={"inner": inner},
        arguments={"z_dim": 4},
    )
    (meta,) = call.arguments
    assert call.function.name == "_reconstruct_persistent_obj"
    assert (meta["type"], meta["class_name"], meta["module_src"]) == ("class", "Outer", CLASSES)
    state = meta["state"]
    assert state["gain"] == 2 and state["_init_kwargs"] == {"z_dim": 4}
    assert state["_modules"] == {"inner": inner} and state["_buffers"] == {"mean": mean}
    parameter = state["_parameters"]["weight"]
    assert isinstance(parameter, nn.Parameter) and not parameter.requires_grad


def test_a_mapping_is_dense_layers_with_their_gains() -> None:
    tensors = {f"mapping.fc{i}.weight": torch.randn(4, 9) for i in (0, 1)}
    tensors |= {f"mapping.fc{i}.bias": torch.randn(4) for i in (0, 1)}
    state = mapping(tensors, {"num_layers": 2}, 0.75, torch.zeros(4)).arguments[0]["state"]
    assert list(state["_modules"]) == ["fc0", "fc1"] and list(state["_buffers"]) == ["w_avg"]
    layer = state["_modules"]["fc1"].arguments[0]["state"]
    assert (layer["in_features"], layer["out_features"]) == (9, 4)
    assert (layer["activation"], layer["weight_gain"], layer["bias_gain"]) == ("lrelu", 0.25, 0.75)
    assert dense(tensors, "mapping.fc0").arguments[0]["state"]["activation"] == "linear"


@pytest.mark.parametrize(
    ("count", "halves"), [(0, []), (1, [64]), (2, [32, 64]), (9, [8, 16, 32, 64])]
)
def test_the_highest_resolutions_are_in_half_precision(count: int, halves: list[int]) -> None:
    assert [r for r in (4, 8, 16, 32, 64) if in_half(r, 64, count)] == halves
