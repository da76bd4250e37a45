"""Checkpoints of the improved MUNIT: read as data, spectral norms applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from regen.errors import GeneratorError, StoreError
from regen.generators.munit.generator import Translator
from regen.generators.munit.improved import LICENCE, folded, read_improved
from regen.generators.munit.naming import tensor_names
from regen.generators.registry import read_checkpoint
from tests.generators.munit.reference import translate_2021
from tests.helpers.munit import images_and_styles, lively
from tests.tolerances import assert_near

Content = dict[str, Any]
State = dict[str, Tensor]


def state(seed: int, **changes: Any) -> State:
    """One auto-encoder, with spectral norms applied."""
    network = lively("2021", seed=seed, **changes).network
    own = network.state_dict()
    return {theirs: own[name] for theirs, name in tensor_names(network)}


def unfolded(state: State) -> State:
    """The same as a network in training has it: each norm is 2 where u and v say so."""
    result = dict(state)
    for name in [name for name in state if name.endswith("conv.weight") and "mlp" not in name]:
        weight = result.pop(name).clone()
        if weight.dim() < 4 or weight.shape[0] == 3:
            result[name] = weight  # linear layers, and the last convolution, have none
            continue
        layer, matrix = name.removesuffix(".weight"), weight.flatten(1)
        v = nn.functional.normalize(torch.ones(matrix.shape[1]), dim=0)
        u = nn.functional.normalize(matrix @ v, dim=0)
        vectors = {"weight_u": u, "weight_v": v, "weight_orig": weight * 2 / (u @ matrix @ v) * 3}
        result |= {f"{layer}.{part}": tensor for part, tensor in vectors.items()}
    return result


def checkpoint(*, average: bool = True, training: bool = True, **changes: Any) -> Content:
    """As imaginaire writes it, the average and the network in training with different weights."""
    net: State = {"module.num_updates_tracked": torch.tensor(3)}
    for number, half in enumerate("ab"):
        if average:
            begin = f"module.averaged_model.autoencoder_{half}."
            net |= {f"{begin}{name}": t for name, t in state(number, **changes).items()}
        if training:
            begin = f"module.module.autoencoder_{half}."
            net |= {f"{begin}{n}": t for n, t in unfolded(state(2 + number, **changes)).items()}
    return {"net_G": net, "net_D": {"module.x": torch.zeros(1)}, "current_iteration": 7}


def translated(a: State, b: State, **changes: Any) -> Tensor:
    """What the reference translates from a to b."""
    both = {name: (a if name.startswith("content_encoder") else b)[name] for name in a}
    image, style = images_and_styles(2, (32, 48))
    return translate_2021(both, image, style, changes.get("blocks", 1))


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_average_is_taken(blocks: int, tmp_path: Path) -> None:
    path = tmp_path / "epoch_1.pt"
    torch.save(checkpoint(blocks=blocks), path)
    found = read_checkpoint(path)
    generator = found.generator
    assert isinstance(generator, Translator)
    assert (generator.config.layout, generator.config.blocks) == ("2021", blocks)
    wanted = translated(state(0, blocks=blocks), state(1, blocks=blocks), blocks=blocks)
    assert_near(generator.network(*images_and_styles(2, (32, 48))), wanted, size=20)
    assert found.origin == "checkpoint of improved MUNIT (2021), G_ema"
    assert any("no commercial use" in note for note in found.notes) and len(found.notes) == 3
    assert generator.original_licence == LICENCE


def test_the_network_in_training_has_its_norms_applied() -> None:
    found = read_improved(checkpoint(), "G", "it")
    assert found is not None and isinstance(found.generator, Translator)
    halves = [folded(unfolded(state(seed)), "it") for seed in (2, 3)]
    wanted = translated(*halves)
    assert_near(found.generator.network(*images_and_styles(2, (32, 48))), wanted, size=20)
    alone = read_improved(checkpoint(average=False), "G_ema", "it")
    assert alone is not None and alone.generator.digest() == found.generator.digest()
    assert "no average" in alone.notes[1]


def test_the_other_direction() -> None:
    found = read_improved(checkpoint(), "b2a", "it")
    assert found is not None and isinstance(found.generator, Translator)
    wanted = translated(state(1), state(0))
    assert_near(found.generator.network(*images_and_styles(2, (32, 48))), wanted, size=20)
    assert "it is read as the translation from b to a" in found.notes


def test_a_norm_is_applied_as_torch_applies_it() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = nn.utils.spectral_norm(nn.Conv2d(3, 5, 3))
        layer(torch.zeros(1, 3, 8, 8))  # one power iteration
        layer.eval()
        x = torch.randn(1, 3, 8, 8)
        got = folded(dict(layer.state_dict(prefix="conv.")), "it")
        assert set(got) == {"conv.weight", "conv.bias"}
        assert_near(nn.functional.conv2d(x, got["conv.weight"], got["conv.bias"]), layer(x), size=5)


def test_a_bare_state_is_one_too() -> None:
    net = checkpoint(training=False)["net_G"]
    plain = {name.removeprefix("module.averaged_model."): tensor for name, tensor in net.items()}
    for value in (net, plain):
        found = read_improved(value, "G_ema", "it")
        assert found is not None and found.generator.config.blocks == 1
    with pytest.raises(GeneratorError, match="it: network: got G, expected G_ema, or b2a for the"):
        read_improved(net, "G", "it")


def test_what_is_not_its_own() -> None:
    for value in ({"net_G": {"module.x": torch.zeros(3)}}, 3, {}, {"net_G": None}, {3: 4}):
        assert read_improved(value, "G_ema", "it") is None


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ({}, "it: c.weight_orig: got shapes .*, expected a weight, u and v"),
        ({"u": 3}, "expected a weight, u and v that fit"),
        ({"u": 2, "v": 5}, "expected a weight, u and v that fit"),
        ({"u": 2, "v": 4}, "it: c.weight_orig: spectral norm: got 0.0, expected more than 0"),
    ],
)
def test_norms_that_cannot_be_applied(vectors: dict[str, int], message: str) -> None:
    given: Content = {"c.weight_orig": torch.ones(2, 4, 1, 1), "c.weight_v": torch.zeros(4)}
    given |= {f"c.weight_{name}": torch.zeros(size) for name, size in vectors.items()}
    with pytest.raises(GeneratorError, match=message):
        folded(given, "it")


B = "module.averaged_model.autoencoder_b."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({f"{B}mlp.model.1.layers.conv.bias": None}, "got no mlp.model.1.layers.conv.bias"),
        ({f"{B}dec.x": torch.zeros(1)}, "it: tensors of MUNIT: got unknown dec.x"),
        ({f"{B}decoder.decoder.5.layers.conv.bias": 3}, "conv.bias: got int, expected a tensor"),
        ({f"{B}style_encoder.model.6.weight": torch.zeros(8)}, r"got \[8\], expected a weight of"),
        (
            {f"{B}style_encoder.model.6.bias": torch.full((8,), torch.inf)},
            "it: weights: got NaN or infinity in network.style_encoder.last.bias",
        ),
        (
            {f"{B}mlp.model.0.layers.conv.weight": torch.zeros(9, 8)},
            "it does not fit: network.mapping.layers.0.bias is",
        ),
    ],
)
def test_what_cannot_be_read(changes: Content, message: str) -> None:
    content = checkpoint()
    for name, value in changes.items():
        content["net_G"][name] = value
        if value is None:
            del content["net_G"][name]
    with pytest.raises((GeneratorError, StoreError), match=message):
        read_improved(content, "G_ema", "it")


def test_more_halvings() -> None:
    content, begin = checkpoint(training=False), "module.averaged_model.autoencoder_a."
    net = content["net_G"]
    for name in [name for name in net if name.startswith(f"{begin}content_encoder.model.3.")]:
        net[name.replace("model.3.", "model.4.", 1)] = net.pop(name)
    with pytest.raises(GeneratorError, match="halve the image: got 3, expected 2"):
        read_improved(content, "G_ema", "it")
