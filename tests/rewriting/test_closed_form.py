"""The closed form against least squares solved by other means, and on a real memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen import batches
from regen.errors import RewriteError
from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.split import Activation, Split
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting.closed_form import (
    ClosedFormSettings,
    closed_form,
    regularised_factor,
    solve,
)
from regen.rewriting.key_moments import KeyMoment, measure_moments
from regen.rewriting.memory import fit_memory
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, region_weights
from regen.rewriting.settings import FitSettings
from tests.tolerances import assert_near

VALUES = FitSettings(
    recall="value", weight_old=4.0, border=0.0, precision="fp32", preserve_weight=1.0, lr=0.02
)


class NoContext:
    def select(self, index: Tensor) -> NoContext:
        return self

    def join(self, others: Any) -> NoContext:
        return self

    def detach(self) -> NoContext:
        return self


class Convolution(nn.Module):
    """The plainest memory there is: one convolution, nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3), requires_grad=False)

    def forward(self, key: Activation) -> Activation:
        return key.with_features(F.conv2d(key.features, self.weight, padding=1))


class LinearSplit(Split):
    """A generator that is one convolution; its value is its image."""

    value_layer, memory_layers = 1, 1

    def __init__(self) -> None:
        self.memory = Convolution()

    def head(self, latent: Tensor) -> Activation:
        return Activation(latent, NoContext())

    def tail(self, value: Activation) -> Tensor:
        return value.features

    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        return 3, *image_size

    def memory_weights(self) -> list[str]:
        return ["weight"]

    def full_name(self, memory_name: str) -> str:
        return memory_name

    def convolution_keys(
        self, key: Activation, weights: Mapping[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        yield ConvolutionKeys("weight", F.pad(key.features, (1, 1, 1, 1)), 3)


def linear_rule(split: LinearSplit) -> Rule:
    keys = split.head(torch.randn(2, 2, 12, 12))
    before = split.memory(keys)
    wanted = before.features + torch.randn(2, 3, 12, 12)
    mask = torch.zeros(2, 1, 12, 12)
    mask[..., 3:9, 4:10] = 1
    return Rule(keys, before, wanted, mask, before.features, wanted, mask)


def small_ridge(**changes: float) -> ClosedFormSettings:
    return replace(ClosedFormSettings(rounds=1, mu=0.0, ridge=1e-9), **changes)


def test_it_is_weighted_least_squares() -> None:
    split = LinearSplit()
    rule = linear_rule(split)
    moments = {"weight": KeyMoment.of(torch.eye(18))}
    found = closed_form(split, rule, VALUES, moments, small_ridge())["weight"]
    roots = region_weights(rule.mask, 10.0, 4.0).sqrt().flatten()
    patches = F.unfold(rule.keys.features, 3, padding=1).transpose(1, 2).flatten(0, 1)  # [M, K]
    wanted = rule.wanted.flatten(2).transpose(1, 2).flatten(0, 1)
    solution = torch.linalg.lstsq(roots[:, None] * patches, roots[:, None] * wanted).solution
    torch.testing.assert_close(found.flatten(1), solution.T, rtol=1e-3, atol=1e-3)


def test_the_step_is_the_formula() -> None:
    residual, keys = torch.randn(3, 40).double(), torch.randn(5, 40).double()
    weights = torch.rand(40).double()
    root = torch.randn(5, 5).double()
    moment = root @ root.T
    a = 0.5 * moment + (keys * weights) @ keys.T
    a = a + 0.01 * a.diagonal().mean() * torch.eye(5)
    wanted = (residual * weights) @ keys.T @ torch.linalg.inv(a)
    factor = regularised_factor((keys * weights) @ keys.T, moment, 0.5, 0.01)
    torch.testing.assert_close(solve(-(residual * weights) @ keys.T, factor), wanted)


def test_keys_of_the_generator_at_large_restrain_the_change() -> None:
    split = LinearSplit()
    rule = linear_rule(split)
    rare = torch.randn(18, 18)
    moment = {"weight": KeyMoment.of(rare @ rare.T)}
    changes = []
    for mu in (1e-3, 1.0, 1e3):
        config = small_ridge(mu=mu)
        weight = closed_form(split, rule, VALUES, moment, config)["weight"]
        delta = (weight - split.memory.weight).flatten(1)
        drift = ((delta @ rare).square().sum() / delta.square().sum()).item()
        changes.append(drift)
    assert changes[0] > changes[1] > changes[2]


@pytest.fixture
def moments(split: StyleGAN2Split, preserved: Preserved) -> dict[str, KeyMoment]:
    return measure_moments(split, [preserved.keys])


def squared_error(split: StyleGAN2Split, rule: Rule, weights: dict[str, Tensor]) -> float:
    recalled = torch.func.functional_call(split.memory, weights, (rule.keys,)).features
    shares = region_weights(rule.mask, 10.0, 4.0)
    return (shares * (recalled - rule.wanted).square()).sum().item()


def test_every_round_through_a_memory_corrects_more(
    split: StyleGAN2Split, rule: Rule, moments: dict[str, KeyMoment]
) -> None:
    digest = split.generator.digest()
    errors = [squared_error(split, rule, {})]
    for rounds in (1, 2, 4):
        weights = closed_form(split, rule, VALUES, moments, ClosedFormSettings(rounds=rounds))
        assert list(weights) == ["convs.4.weight", "convs.5.weight"]
        errors.append(squared_error(split, rule, weights))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.8 * errors[0]
    assert split.generator.digest() == digest


def test_targets_of_large_images_give_their_keys_one_after_the_other(
    split: StyleGAN2Split,
    rule: Rule,
    moments: dict[str, KeyMoment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together: list[int] = []

    def counted(key: Activation, weights: Mapping[str, Tensor]) -> Iterator[ConvolutionKeys]:
        together.append(len(key.features))
        return original(key, weights)

    original = split.convolution_keys
    monkeypatch.setattr(split, "convolution_keys", counted)
    whole = closed_form(split, rule, VALUES, moments)
    monkeypatch.setattr(batches, "_USUAL_PIXELS", 1)  # 32x32 is large
    parts = closed_form(split, rule, VALUES, moments)
    assert together == [2, 2] + [1, 1] * 2
    for name, weight in whole.items():
        assert_near(parts[name], weight, size=float(weight.abs().max()))


@pytest.mark.parametrize("recall", ["value", "image", "both"])
def test_it_corrects_what_recall_is_measured_on(
    split: StyleGAN2Split, rule: Rule, moments: dict[str, KeyMoment], recall: Any
) -> None:
    fit = replace(VALUES, recall=recall, image_weight=2.0)
    weights = closed_form(split, rule, fit, moments)

    def error(weights: dict[str, Tensor]) -> float:
        value = torch.func.functional_call(split.memory, weights, (rule.keys,))
        shares = region_weights(rule.image_mask, 10.0, 4.0)
        image = (shares * (split.tail(value) - rule.composites).square()).sum().item() / 3
        on_value = squared_error(split, rule, weights) / 8
        return {"value": on_value, "image": image, "both": on_value + 2 * image}[recall]

    assert error(weights) < 0.9 * error({})


def test_as_a_solver_it_reports_start_and_end_and_leaves_biases(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    reports: list[tuple[int, dict[str, float]]] = []
    config = replace(VALUES, solver="closed-form", preserve_batch=2)
    deltas = fit_memory(
        split, rule, config, preserved, on_report=lambda *report: reports.append(report)
    ).deltas
    assert [step for step, _ in reports] == [0, 1]
    assert reports[1][1]["recall_value"] < reports[0][1]["recall_value"]
    assert list(deltas) == [split.full_name(name) for name in split.memory_weights()]
    moved = {name for name, delta in deltas.items() if delta.abs().max() > 0}
    assert moved == {"synthesis.convs.4.weight", "synthesis.convs.5.weight"}


def test_with_its_start_the_same_steps_come_further(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    def last(solver: Any, steps: int) -> float:
        reports: list[dict[str, float]] = []
        config = replace(VALUES, recall="both", solver=solver, steps=steps, preserve_batch=2)
        fit_memory(split, rule, config, preserved, on_report=lambda _, terms: reports.append(terms))
        return reports[-1]["total"]

    assert last("both", 10) < last("adam", 10)


@pytest.mark.parametrize("solver", ["keys", "both"])
def test_steps_along_the_keys_are_repeatable_bit_for_bit(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, solver: Any
) -> None:
    config = replace(VALUES, solver=solver, steps=3, preserve_batch=2)
    first, second = (fit_memory(split, rule, config, preserved).deltas for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_stopping_in_its_steps_hands_over_start_and_steps(
    split: StyleGAN2Split, rule: Rule, moments: dict[str, KeyMoment]
) -> None:
    config = replace(VALUES, solver="both", steps=3)
    fitted = fit_memory(split, rule, config, None, moments, should_stop=lambda: True)
    assert (fitted.steps, fitted.stopped) == (1, True)
    assert fitted.deltas["synthesis.convs.4.weight"].abs().max() > 0


def test_without_any_keys_it_says_what_is_needed(split: StyleGAN2Split, rule: Rule) -> None:
    message = "needs second moments of keys: got neither moments nor preserved samples"
    with pytest.raises(RewriteError, match=message):
        fit_memory(split, rule, replace(VALUES, solver="both"))


def test_a_family_without_keys_is_told_to_use_adam(
    split: StyleGAN2Split, rule: Rule, moments: dict[str, KeyMoment]
) -> None:
    class Plain:
        """The split without its keys."""

        def __getattr__(self, name: str) -> Any:
            if name == "convolution_keys":
                raise AttributeError(name)
            return getattr(split, name)

    message = "this family of generators has no closed form; use --solver adam"
    with pytest.raises(RewriteError, match=message):
        closed_form(Plain(), rule, VALUES, moments)  # type: ignore[arg-type]


def test_keys_that_are_not_finite_are_named() -> None:
    broken = torch.full((4, 4), torch.nan).double()
    with pytest.raises(RewriteError, match="the second moment of the keys has no Cholesky factor"):
        regularised_factor(broken, torch.eye(4).double(), 1.0, 0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rounds": 0}, "closed form: rounds: got 0, expected 1 or more"),
        ({"mu": -1.0}, "closed form: got mu -1, ridge 1, expected mu 0 or more, ridge above 0"),
        ({"ridge": 0.0}, "closed form: got mu 0.1, ridge 0, expected"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RewriteError, match=message):
        ClosedFormSettings(**changes)
