"""Checkpoints of the original code: read as data, written back as they were."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError, RegenError, StoreError
from regen.generators.registry import CheckpointWarning, open_generator, read_checkpoint
from regen.generators.rfr.config import NORMS
from regen.generators.rfr.generator import Inpainter
from regen.generators.rfr.original import original_state, read_original, write_original
from tests.helpers.rfr import holed, lively

Content = dict[str, Any]


def checkpoint(generator: Inpainter) -> Content:
    """As the original's training writes it, with the state of its optimiser."""
    state = original_state(generator)
    adam = {0: {"step": 3, "exp_avg": torch.zeros(2)}}
    return {"n_iter": 350000, "generator": state, "optimizer_G": {"state": adam}}


@pytest.mark.parametrize("kernel", [5, 7])
def test_a_checkpoint_comes_back_byte_for_byte(kernel: int, tmp_path: Path) -> None:
    generator = lively(kernel=kernel, rounds=6, size=256, batches=tuple(range(NORMS)))
    first, second = tmp_path / "checkpoint_celeba.pth", tmp_path / "again.pth"
    torch.save(checkpoint(generator), first)
    found = read_checkpoint(first)
    assert found.generator.config == generator.config
    assert found.origin.startswith("checkpoint of RFR-Inpainting")
    assert "rounds is not in the file" in found.notes[0] and "white" in found.notes[1]
    write_original(second, found.generator)
    was, now = (torch.load(path, weights_only=True)["generator"] for path in (first, second))
    assert was.keys() == now.keys()
    for name, tensor in was.items():
        assert tensor.dtype == now[name].dtype and tensor.is_contiguous()
        assert torch.equal(tensor, now[name]), name
    image, known = holed(1, (32, 32))
    same = found.generator.network(image, known)
    assert torch.equal(same, generator.network(image, known))


def test_rounds_and_size_of_a_file_of_regen(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.pth"
    notes = write_original(path, generator)
    assert "this one has width 8, 2 rounds and kernel 3" in notes[0]
    with pytest.warns(CheckpointWarning) as notes_of_it:
        again = open_generator(path)
    assert "white, or inside, is what" in str(notes_of_it[0].message) and len(notes_of_it) == 2
    assert again.config == lively(batches=(0,) * NORMS).config
    assert again.digest() == generator.digest()


@pytest.mark.parametrize("room", ["generator", "state_dict", ""])
def test_where_a_state_may_lie(room: str) -> None:
    state = {f"module.{name}": t for name, t in original_state(lively()).items()}
    found = read_original({room: state} if room else state, "G_ema", "it")
    assert found is not None and found.generator.config.rounds == 6


@pytest.mark.parametrize("count", [float("inf"), float("nan"), 1e30, 1j, "x", None])
def test_a_count_of_batches_that_is_none_is_left_out(count: Any) -> None:
    state = original_state(lively(batches=tuple(range(NORMS))))
    odd = torch.tensor(count) if isinstance(count, (float, complex)) else count
    state["bn1.num_batches_tracked"] = odd
    found = read_original({"generator": state}, "G_ema", "it")
    assert found is not None and found.generator.config.batches == ()


def test_what_is_not_its_own() -> None:
    for value in ({"generator": {"conv.weight": torch.zeros(3)}}, 3, {}, {"generator": None}):
        assert read_original(value, "G_ema", "it") is None


def without(state: Content) -> None:
    del state["Tconv.weight"], state["out.weight"]


def with_more(state: Content) -> None:
    state["out2.weight"] = torch.zeros(3)


def of_another_width(state: Content) -> None:
    state["tail1.weight"] = torch.zeros(32, 67, 3, 3)


def with_a_text(state: Content) -> None:
    state["out.weight"] = "a text"


def of_two_axes(state: Content) -> None:
    state["Pconv2.weight"] = torch.zeros(8, 8)


def not_finite(state: Content) -> None:
    state["Tconv.weight"] = state["Tconv.weight"] * torch.nan


def of_an_odd_width(state: Content) -> None:
    state["Pconv1.weight"] = torch.zeros(12, 3, 7, 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, "it: tensors of RFR: got no Tconv.weight, out.weight, expected those"),
        (with_more, "it: tensors of RFR: got unknown out2.weight"),
        (of_another_width, r"it does not fit: network.combination.weight is \[32, 67, 3, 3\]"),
        (with_a_text, "it: out.weight: got str, expected a tensor"),
        (of_two_axes, "it: Pconv1.weight and Pconv2.weight: got .*, expected weights of 4 axes"),
        (not_finite, "it: weights: got NaN or infinity in network.enlargement"),
        (of_an_odd_width, "it: width: got 12, expected a multiple of 8"),
    ],
)
def test_what_cannot_be_read(change: Any, message: str) -> None:
    state: dict[str, Tensor] = original_state(lively())
    change(state)
    with pytest.raises((GeneratorError, StoreError), match=message):
        read_original({"generator": state}, "G_ema", "it")


def test_it_has_one_network() -> None:
    with pytest.raises(GeneratorError, match="it: network: got G, expected G_ema, its only one"):
        read_original({"generator": original_state(lively())}, "G", "it")


def test_a_truncated_file(tmp_path: Path) -> None:
    """An early upload of the published weights was cut off."""
    buffer, path = io.BytesIO(), tmp_path / "checkpoint_celeba.pth"
    torch.save(checkpoint(lively()), buffer)
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(RegenError):
        read_checkpoint(path)


def test_regens_additions_are_checked() -> None:
    content = {"generator": original_state(lively()), "regen": {"rounds": 10**9}}
    with pytest.raises(GeneratorError, match="it: rounds: got 1000000000, expected an integer"):
        read_original(content, "G_ema", "it")
