"""A discriminator without its generator is known by its tensors, and refused with the reason."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.discriminator_alone import (
    is_discriminator_alone,
    refuse_discriminator_alone,
)

ONE = torch.ones(1)


@pytest.mark.parametrize(
    "value",
    [
        {"final_linear.1.weight": ONE},
        {"d": {"final_linear.1.weight": ONE}},
        {"D": {"module.b4.out.weight": ONE}},
        {"b4.out.weight": ONE},
    ],
)
def test_a_discriminator_is_known_wherever_it_is(value: dict[str, Any]) -> None:
    assert is_discriminator_alone(value)


@pytest.mark.parametrize("value", [None, {}, {"final_linear.0.weight": ONE}, {"b4.out": ONE}])
def test_other_values_are_not_a_discriminator(value: object) -> None:
    assert not is_discriminator_alone(value)


def test_it_is_refused_with_the_reason() -> None:
    with pytest.raises(GeneratorError, match="^cats.pt holds a discriminator alone: expected a ge"):
        refuse_discriminator_alone({}, "G_ema", "cats.pt")
