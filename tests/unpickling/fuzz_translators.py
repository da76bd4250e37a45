"""Whole checkpoints of MUNIT, in both layouts, with wrong tensors, names or members."""

from __future__ import annotations

from random import Random
from typing import Any

from torch import Tensor

from regen.generators.munit.naming import tensor_names
from regen.generators.munit.original import original_state
from tests.helpers.munit import lively
from tests.unpickling.fuzz_damage import NASTY
from tests.unpickling.fuzz_files import damaged_tensors, saved

SMALL = {"width": 2, "mapping": 3, "style": 2, "size": 16}


def damaged_translator(random: Random) -> bytes:
    """A checkpoint of 2018 or of 2021."""
    seed, improved = random.randrange(1 << 30), random.random() < 0.5
    content = _improved(random, seed) if improved else _first(random, seed)
    if random.random() < 0.1:
        content[random.choice(list(content))] = random.choice(NASTY[:-1])
    if random.random() < 0.2:
        content["regen"] = {random.choice(("size", "licence")): random.choice(NASTY[:-1])}
    return saved(content, random.random() < 0.8)


def _first(random: Random, seed: int) -> dict[str, Any]:
    state = original_state(lively("2018", seed=seed, **SMALL))
    return {half: damaged_tensors(state, random) for half in "ab"}


def _improved(random: Random, seed: int) -> dict[str, Any]:
    network = lively("2021", seed=seed, **SMALL).network
    own = network.state_dict()
    state: dict[str, Tensor] = {theirs: own[name] for theirs, name in tensor_names(network)}
    net: dict[str, Any] = {}
    for half in "ab":
        tensors = damaged_tensors(_norms(state, random), random)
        start = random.choice(("module.averaged_model.", "module.module.", ""))
        net |= {f"{start}autoencoder_{half}.{name}": item for name, item in tensors.items()}
    return {"net_G": net, "net_D": {}}


def _norms(state: dict[str, Tensor], random: Random) -> dict[str, Tensor]:
    """The same with the vectors of some spectral norms."""
    result = dict(state)
    for name in [name for name in state if name.endswith("layers.conv.weight")]:
        weight = state[name]
        if random.random() < 0.3:
            layer, matrix = name.removesuffix(".weight"), weight.flatten(1)
            v = matrix.sum(0)
            result[f"{layer}.weight_orig"] = result.pop(name)
            result[f"{layer}.weight_v"], result[f"{layer}.weight_u"] = v, matrix @ v
    return result
