"""Where states of networks are found in a file, and which of several is meant."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.places import Place, choose_place, find_places
from regen.unpickling import Instance

MARKER = "input.input"


def state(prefix: str = "", value: float = 0.0) -> dict[str, Any]:
    return {f"{prefix}{name}": torch.tensor([value]) for name in (MARKER, "style.1.weight")}


def places(value: object) -> list[Place]:
    return find_places(value, MARKER)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (state(), ""),
        (state("module."), ""),
        (state("decoder."), "decoder"),
        (state("g_ema.module."), "g_ema"),
        ({"G_ema": state()}, "G_ema"),
        ({"ckpt": {"g_ema": state("module.")}}, "ckpt.g_ema"),
        ({"a": {"b": {"c": state()}}}, "a.b.c"),
        ({"nets": [None, state()]}, "nets.1"),
        ({"args": Instance("argparse.Namespace", (), {"net": state()})}, "args.net"),
    ],
)
def test_a_state_is_found_wherever_it_lies(value: dict[str, Any], path: str) -> None:
    (place,) = places({**value, "epoch": 3, 7: None})
    assert place.path == path
    assert set(place.tensors) >= {MARKER, "style.1.weight"}


def test_other_things_are_not_found() -> None:
    assert places(None) == places([0] * 99) == places({"x": state("xinput.")[f"xinput.{MARKER}"]})
    assert places({"xinput.input": torch.ones(1), "a": {"b": {"c": {"d": state()}}}}) == []
    assert places(argparse.Namespace(state=state())) == []


def test_arrays_of_numpy_come_as_tensors() -> None:
    big_endian = np.arange(3, dtype=">f4")
    (place,) = places({**state(), MARKER: np.float32(2), "a": big_endian, "i": np.arange(2)})
    assert isinstance(place.tensors[MARKER], Tensor) and place.tensors[MARKER] == 2
    assert torch.equal(place.floats()["a"], torch.arange(3.0))
    assert "i" not in place.floats()


def test_finding_ends_soon_in_files_made_to_go_on() -> None:
    shared: dict[str, Any] = {f"{n}.{MARKER}": 0 for n in range(20_000)}
    assert len(places(shared)) == 32
    wide = {str(n): {str(m): shared for m in range(50)} for n in range(50)}
    assert len(places(wide)) == 32


@pytest.mark.parametrize(
    ("names", "which", "chosen"),
    [
        (["g_ema"], "G_ema", "g_ema"),
        (["g", "g_ema", "d"], "G_ema", "g_ema"),
        (["g", "g_ema", "d"], "G", "g"),
        (["model"], "G_ema", "model"),
        (["G", "G_ema"], "G", "G"),
        (["generator", "generator_ema"], "G_ema", "generator_ema"),
        (["generator", "generator_ema"], "G", "generator"),
        (["netG", "netG_ema"], "G_ema", "netG_ema"),
        (["g_running", "generator"], "G_ema", "g_running"),
        (["params", "params_ema"], "G_ema", "params_ema"),
        (["g", "state_dict"], "G_ema", "g"),
        (["model", "other_ema"], "G_ema", "other_ema"),
    ],
)
def test_which_of_several_is_meant(names: list[str], which: str, chosen: str) -> None:
    found = places({name: state(value=i) for i, name in enumerate(names)})
    place = choose_place(found, which, "x.pt")
    assert place is not None and place.path == chosen
    assert place.tensors[MARKER] == names.index(chosen)


@pytest.mark.parametrize("names", [["g_ema"], ["model"], ["params_ema", "params"]])
def test_a_trained_network_that_is_not_there(names: list[str]) -> None:
    assert choose_place(places({name: state() for name in names}), "G", "x.pt") is None


def test_two_that_could_be_meant_are_refused() -> None:
    found = places({"netG_A": state(), "netG_B": state()})
    with pytest.raises(GeneratorError) as caught:
        choose_place(found, "G_ema", "x.pt")
    assert str(caught.value) == (
        "x.pt holds several generators: got netG_A, netG_B, expected one, or one that is named "
        "g_ema"
    )


def test_a_list_at_the_top() -> None:
    assert [place.path for place in places((state(), state("module."), 3))] == ["0", "1"]


def test_a_long_key_is_short_in_messages() -> None:
    (place,) = places({"k" * 1000: state()})
    assert place.name == "k" * 57 + "..."
    assert places(state())[0].name == "one network"


def test_what_lies_beside_a_state() -> None:
    (place,) = places({"ckpt": {"g_ema": state(), "latent_avg": 3}})
    assert place.beside["latent_avg"] == 3
