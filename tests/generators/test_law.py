"""Every family keeps the law of the protocol, and the check of the law can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.generators.split import Activation
from regen.generators.stylegan2.generator import StyleGAN2
from tests.generators.law import check_law
from tests.helpers.munit import lively as lively_translator
from tests.helpers.rfr import lively
from tests.toy_family import SIZE, Toy, ToyContext, ToyLatent, ToySplit

Build = Callable[..., StyleGAN2]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("noise", ["const", "random", "none"])
@pytest.mark.parametrize("classes", [0, 3])
def test_stylegan2(build: Build, classes: int, noise: Any, precision: torch.dtype) -> None:
    generator = build(resolution=32, label_dim=classes)
    label = torch.eye(3)[[0, 2]] if classes else None
    one = generator.seed_latents([1, 2], [0.7, 1.0], label=label, noise=noise)
    two = generator.seed_latents([30, 4], [0.2, -1.0], label=label, noise=noise)
    check_law(generator, one, two, precision)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_rfr(precision: torch.dtype) -> None:
    generator = lively(people=True)
    one, two = (generator.latents(generator.source().samples(n)) for n in ([1, 2], [3, 4]))
    check_law(generator, one, two, precision)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", ["2018", "2021"])
def test_munit(layout: str, precision: torch.dtype) -> None:
    generator = lively_translator(layout, people=True, blocks=2)
    one, two = (generator.latents(generator.source().samples(n)) for n in ([1, 2], [3, 4]))
    check_law(generator, one, two, precision)


@pytest.fixture
def inputs() -> tuple[ToyLatent, ToyLatent]:
    one, two = torch.rand(2, 2, 3, *SIZE) * 2 - 1
    return ToyLatent(one), ToyLatent(two)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("keyed", [True, False])
def test_the_toy(inputs: tuple[ToyLatent, ToyLatent], keyed: bool, precision: torch.dtype) -> None:
    check_law(Toy(keyed=keyed), *inputs, precision)


class _Faulty(Toy):
    """A toy whose cuts are made by another class."""

    def __init__(self, split: type[ToySplit]) -> None:
        super().__init__()
        self.made_by = split

    def split(self, value_layer: int, memory_layers: int) -> ToySplit:
        return self.made_by(self, value_layer, memory_layers)


class _Inexact(ToySplit):
    def tail(self, value: Activation) -> Tensor:
        return super().tail(value.with_features(value.features * (1 + 1e-6)))


class _Forgetful(ToySplit):
    """Keeps the context of the last head in the split, where a second input overwrites it."""

    def head(self, latent: ToyLatent) -> Activation:
        key = super().head(latent)
        self.context = key.context
        return key

    def tail(self, value: Activation) -> Tensor:
        return super().tail(replace(value, context=self.context))


class _Leaving(ToySplit):
    """Leaves something behind that changes no image."""

    def head(self, latent: ToyLatent) -> Activation:
        self.toy.encoder.last = latent
        return super().head(latent)


class _Mixing(ToySplit):
    """Loses which context belongs to which sample."""

    def head(self, latent: ToyLatent) -> Activation:
        key = super().head(latent)
        return replace(key, context=_Unordered(key.context.brightness))


class _Unordered(ToyContext):
    def select(self, index: Tensor) -> ToyContext:
        return ToyContext(self.brightness[index.sort().values])

    def join(self, others: Any) -> ToyContext:
        return _Unordered(super().join(others).brightness)


class _Copying(ToySplit):
    """Has a memory whose parameters are copies."""

    def __init__(self, toy: Toy, value_layer: int, memory_layers: int) -> None:
        super().__init__(toy, value_layer, memory_layers)
        copy = Toy()
        copy.load_state_dict(toy.state_dict())
        self.memory = ToySplit(copy, value_layer, memory_layers).memory


@pytest.mark.parametrize("fault", [_Inexact, _Forgetful, _Leaving, _Mixing, _Copying])
def test_the_check_can_fail(inputs: tuple[ToyLatent, ToyLatent], fault: type[ToySplit]) -> None:
    with pytest.raises(AssertionError):
        check_law(_Faulty(fault), *inputs)


def test_two_inputs_must_differ(inputs: tuple[ToyLatent, ToyLatent]) -> None:
    with pytest.raises(AssertionError, match="prove nothing"):
        check_law(Toy(), inputs[0], inputs[0])
