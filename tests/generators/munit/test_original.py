"""Generators of the first MUNIT: read as data, written back as they were."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError, RegenError, StoreError
from regen.generators.munit.generator import Translator
from regen.generators.munit.original import (
    LICENCE,
    original_state,
    read_original,
    write_original,
)
from regen.generators.registry import CheckpointWarning, open_generator, read_checkpoint
from tests.generators.munit.reference import translate_2018
from tests.helpers.munit import images_and_styles, lively
from tests.tolerances import assert_near

Content = dict[str, Any]


def checkpoint(**changes: Any) -> dict[str, dict[str, Tensor]]:
    """As the original's training writes it: two auto-encoders with different weights."""
    return {half: original_state(lively(seed=seed, **changes)) for seed, half in enumerate("ab")}


@pytest.mark.parametrize("blocks", [1, 4])
def test_a_checkpoint_translates_from_a_to_b(blocks: int, tmp_path: Path) -> None:
    content, path = checkpoint(blocks=blocks, style=5), tmp_path / "gen_00001000.pt"
    for half in content.values():  # as torch 0.3 wrote it
        half["enc_content.model.0.norm.running_mean"] = torch.zeros(4)
        half["enc_content.model.0.norm.num_batches_tracked"] = torch.tensor(3)
    torch.save(content, path)
    found = read_checkpoint(path)
    assert isinstance(found.generator, Translator)
    config = found.generator.config
    assert (config.layout, config.width, config.blocks) == ("2018", 4, blocks)
    assert (config.style, config.mapping, config.size) == (5, 16, 256)
    a, b = content["a"], content["b"]
    both = {name: (a if name.startswith("enc_content") else b)[name] for name in a}
    image, style = images_and_styles(2, (32, 48), style=5)
    wanted = translate_2018(both, image, style, blocks)
    assert_near(found.generator.network(image, style), wanted, size=10)
    assert found.origin == "generator of MUNIT (2018)"
    assert "256 is taken" in found.notes[0] and "from a to b; `regen convert" in found.notes[1]
    assert "no commercial use" in found.notes[2]
    assert found.generator.original_licence == LICENCE


def test_what_is_written_holds_the_same_tensors_twice(tmp_path: Path) -> None:
    generator, path = lively(blocks=2), tmp_path / "g.pt"
    notes = write_original(path, generator)
    assert notes == [
        "a and b hold the same tensors; only the translation from a to b is meaningful"
    ]
    content = torch.load(path, weights_only=True)
    assert set(content) == {"a", "b", "regen"}
    assert content["a"].keys() == content["b"].keys() == checkpoint(blocks=2)["a"].keys()
    for name, tensor in original_state(generator).items():
        assert tensor.is_contiguous() and torch.equal(tensor, content["a"][name]), name
        assert torch.equal(tensor, content["b"][name]), name
    image, style = images_and_styles(1, (32, 32))
    wanted = translate_2018(content["a"], image, style, 2)
    assert_near(generator.network(image, style), wanted, size=10)
    with pytest.warns(CheckpointWarning) as warned:
        again = open_generator(path)
    assert len(warned) == 2 and again.digest() == generator.digest()
    assert isinstance(again, Translator) and again.config == generator.config  # its size too
    assert again.original_licence == ""


def test_the_buffers_of_adaptive_norms_are_there(tmp_path: Path) -> None:
    """The original loads strictly, and registers them."""
    state = original_state(lively(blocks=4))
    assert len(state) == 82
    assert torch.equal(state["dec.model.0.model.3.model.1.norm.running_var"], torch.ones(16))


def test_the_layout_of_2021_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="layout of a file of MUNIT: got 2021, expected 2018"):
        write_original(tmp_path / "g.pt", lively("2021"))
    assert not list(tmp_path.iterdir())


def test_what_is_not_its_own() -> None:
    state = original_state(lively())
    for value in (
        {"a": {"conv.weight": torch.zeros(3)}, "b": {}},
        3,
        {},
        {"a": None},
        {"a": state},
    ):
        assert read_original(value, "G_ema", "it") is None


def without(content: Content) -> None:
    del content["b"]["dec.model.2.norm.gamma"], content["b"]["mlp.model.2.fc.bias"]


def without_the_encoder(content: Content) -> None:
    del content["a"]["enc_content.model.3.model.0.model.1.conv.weight"]


def with_more(content: Content) -> None:
    content["b"]["dec.model.6.conv.weight"] = torch.zeros(3)


def of_another_width(content: Content) -> None:
    content["a"] = original_state(lively(width=8))


def of_more_halvings(content: Content) -> None:
    names = [name for name in content["a"] if name.startswith("enc_content.model.3.")]
    for name in names:
        content["a"][name.replace("model.3.", "model.4.", 1)] = content["a"].pop(name)


def of_other_blocks(content: Content) -> None:
    content["b"] = original_state(lively(blocks=2))


def without_blocks(content: Content) -> None:
    for name in [name for name in content["b"] if name.startswith("dec.model.0.")]:
        del content["b"][name]


def with_a_text(content: Content) -> None:
    content["b"]["dec.model.5.conv.weight"] = "a text"


def of_two_axes(content: Content) -> None:
    content["a"]["enc_content.model.0.conv.weight"] = torch.zeros(8, 8)


def without_style(content: Content) -> None:
    del content["b"]["enc_style.model.6.weight"]


def not_finite(content: Content) -> None:
    content["b"]["dec.model.5.conv.weight"] *= torch.nan


def of_an_odd_width(content: Content) -> None:
    content["a"]["enc_content.model.0.conv.weight"] = torch.zeros(5, 3, 7, 7)


def with_huge_numbers(content: Content) -> None:
    content["a"]["enc_content.model.99999999999999999999.model.0.x"] = torch.zeros(1)


def with_a_size(content: Content) -> None:
    content["regen"] = {"size": 10**9}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            without,
            "it: tensors of MUNIT: got no dec.model.2.norm.gamma, mlp.model.2.fc.bias",
        ),
        (without_the_encoder, "got no enc_content.model.3.model.0.model.1.conv.weight, expected"),
        (with_more, "it: tensors of MUNIT: got unknown dec.model.6.conv.weight"),
        (of_another_width, "it does not fit: network.style_encoder.blocks.0.convolution.weight is"),
        (of_more_halvings, "that halve the image: got 3, expected 2; it was trained with another"),
        (of_other_blocks, "got no enc_content.model.3.model.1.model.0.conv.bias"),
        (without_blocks, "it: blocks: got 0, expected an integer from 1 to 64"),
        (with_a_text, "it: dec.model.5.conv.weight: got str, expected a tensor"),
        (of_two_axes, r"enc_content.model.0.conv.weight: got \[8, 8\], expected a weight of 4 axe"),
        (without_style, "it: enc_style.model.6.weight: got NoneType, expected a weight of 4 axes"),
        (not_finite, "it: weights: got NaN or infinity in network.last.weight"),
        (of_an_odd_width, "it: width: got 5, expected a multiple of 2"),
        (with_huge_numbers, "it: tensors of MUNIT: got unknown enc_content.model.9999"),
        (with_a_size, "it: size: got 1000000000, expected an integer from 16 to 704"),
    ],
)
def test_what_cannot_be_read(change: Any, message: str) -> None:
    content = checkpoint()
    change(content)
    with pytest.raises((GeneratorError, StoreError), match=message):
        read_original(content, "G_ema", "it")


def test_the_other_direction() -> None:
    content = checkpoint()
    found = read_original(content, "b2a", "it")
    assert found is not None and isinstance(found.generator, Translator)
    a, b = content["a"], content["b"]
    both = {name: (b if name.startswith("enc_content") else a)[name] for name in a}
    given = images_and_styles(2, (32, 48))
    assert_near(found.generator.network(*given), translate_2018(both, *given, 1), size=10)
    assert found.notes[1] == "it is read as the translation from b to a"


def test_it_has_no_network_in_training() -> None:
    with pytest.raises(GeneratorError, match="it: network: got G, expected G_ema, or b2a for the"):
        read_original(checkpoint(), "G", "it")


def test_a_truncated_file(tmp_path: Path) -> None:
    buffer, path = io.BytesIO(), tmp_path / "gen.pt"
    torch.save(checkpoint(), buffer)
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(RegenError):
        read_checkpoint(path)
