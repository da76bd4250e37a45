"""How much images are changed: shares from 0 to 1, and none at all."""

from __future__ import annotations

from dataclasses import astuple, fields

import pytest

from regen.errors import RegenError
from regen.generators.stylegan2.training.augmentation_settings import Augmentation


def test_none_is_zero_everywhere() -> None:
    assert set(astuple(Augmentation.none())) == {0.0} and all(astuple(Augmentation()))


@pytest.mark.parametrize("name", [spec.name for spec in fields(Augmentation)])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_shares_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(RegenError, match=f"^augmentation: {name}: got {value}, expected 0 to 1$"):
        Augmentation(**{name: value})
