"""Pickled torch modules as data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.modules import Network, as_dict, as_number
from regen.unpickling import Instance


def module(name: str, modules: dict[str, Any], **more: Any) -> Instance:
    return Instance(name, state={"_parameters": {}, "_buffers": {}, "_modules": modules, **more})


def test_a_network_is_flat_by_dotted_name() -> None:
    weight, mean = torch.ones(2), torch.zeros(3)
    inner = module("m.Layer", {}, _parameters={"weight": weight, "bias": None}, gain=2)
    outer = module("m.Top", {"fc0": inner, "none": None}, _buffers={"mean": mean})
    network = Network.of(outer, "file")
    assert network.class_name == "Top" and list(network.modules) == ["", "fc0"]
    assert network.modules["fc0"]["gain"] == 2
    assert network.tensors == {"mean": mean, "fc0.weight": weight}


def test_what_is_a_module() -> None:
    assert Network.is_one(module("m.Top", {}))
    for other in ({"_modules": {}}, Instance("m.Top"), Instance("m.Top", state={}), None):
        assert not Network.is_one(other)


def test_modules_without_end_are_refused() -> None:
    cycle = module("m.Top", {})
    cycle.state["_modules"]["self"] = cycle
    with pytest.raises(GeneratorError, match="^file: modules nested without end"):
        Network.of(cycle, "file")
    wide = module("m.Top", {str(i): module("m.Leaf", {}) for i in range(5000)})
    with pytest.raises(GeneratorError, match="far too many"):
        Network.of(wide, "file")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (torch.tensor([0.5]), 0.5),
        (np.float32(0.25), 0.25),
        (torch.zeros(2), None),
        (float("nan"), None),
        ("3", None),
        (np.array(True), None),
    ],
)
def test_numbers_are_finite_and_single(value: object, number: float | None) -> None:
    assert as_number(value) == number


def test_dicts_may_be_states() -> None:
    assert as_dict({"a": 1}) == as_dict(Instance("EasyDict", state={"a": 1})) == {"a": 1}
    assert as_dict(None) == as_dict([1]) == as_dict(Instance("x", state=[1])) == {}
