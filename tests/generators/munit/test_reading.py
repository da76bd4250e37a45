"""Sizes of a network, from names and shapes of its tensors."""

from __future__ import annotations

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.munit.naming import tensor_names
from regen.generators.munit.reading import (
    as_dict,
    check_halvings,
    config_of,
    numbers_in,
    size_of,
    translating,
    translator_of,
)
from tests.helpers.munit import lively


def test_only_names_of_a_dict_count() -> None:
    assert as_dict({"a": 1, 3: 4, None: 5}) == {"a": 1}
    assert as_dict([1]) == as_dict(None) == {}


def test_what_translates() -> None:
    halves = {"a": {"c.x": 1, "d.x": 2}, "b": {"c.x": 3, "d.x": 4}}
    state, note = translating(halves, "G_ema", "c.")
    assert state == {"c.x": 1, "d.x": 4} and note.startswith("it is read as the translation from a")
    assert translating(halves, "b2a", "c.")[0] == {"c.x": 3, "d.x": 2}


def test_numbers_in_names() -> None:
    names = {"m.3.x": 0, "m.12.y": 0, "n.4.x": 0, "m.x": 0, "m.1234567.x": 0}
    assert numbers_in(names, r"m\.#\.") == {3, 12}


def test_the_size_of_a_layer() -> None:
    state = {"w": torch.zeros(5, 3, 1, 1), "t": "text"}
    assert size_of(state, "w", 4, "it") == 5
    for name, axes, got in (("w", 2, r"\[5, 3, 1, 1\]"), ("t", 4, "str"), ("x", 4, "NoneType")):
        with pytest.raises(GeneratorError, match=f"it: {name}: got {got}, expected a weight of"):
            size_of(state, name, axes, "it")


def test_halvings() -> None:
    check_halvings({3, 4}, "it")
    check_halvings(set(), "it")  # other messages say what is missing then
    with pytest.raises(GeneratorError, match="got 1, expected 2; it was trained with another"):
        check_halvings({2, 3}, "it")


def test_a_configuration_names_its_file() -> None:
    assert config_of("it", width=8).width == 8
    with pytest.raises(GeneratorError, match="it: blocks: got 65, expected an integer from 1 to"):
        config_of("it", blocks=65)


def test_a_generator_of_tensors_by_other_names() -> None:
    donor = lively()
    own = donor.network.state_dict()
    state = {theirs: own[name] for theirs, name in tensor_names(donor.network)}
    spare = {**state, "spare": torch.zeros(1)}
    got = translator_of(donor.config, spare, {"spare"}, "free", "it")
    assert got.digest() == donor.digest() and got.original_licence == "free"
    with pytest.raises(GeneratorError, match="it: tensors of MUNIT: got unknown spare"):
        translator_of(donor.config, spare, set(), "free", "it")
