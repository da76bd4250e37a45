from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from regen.errors import RewriteError
from regen.generators.split import Activation
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.losses import weighted_l1
from regen.projector.project import Project
from regen.rewriting.composite import Example
from regen.rewriting.key_moments import measure_moments
from regen.rewriting.memory import fit_memory
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, RuleSettings, build_rule, region_weights
from regen.rewriting.settings import FitSettings
from regen.training.graphs import Graphs
from tests.helpers.recording import Tracer

SHORT = FitSettings(
    solver="adam",
    crops=False,
    preserve_weight=1.0,
    steps=12,
    lr=0.02,
    report_every=5,
    precision="fp32",
    preserve_batch=2,
    image_weight=2.0,
    structure_weight=0.0,
    weight_old=1.0,
    border=0.0,
)
ENOUGH = replace(SHORT, steps=60)


def with_deltas(split: StyleGAN2Split, deltas: dict[str, Tensor], key: Activation) -> Activation:
    """The value of a key after the change, without changing anything."""
    weights = dict(split.memory.named_parameters())
    changed = {n: weights[n] + deltas[split.full_name(n)] for n in split.memory_weights()}
    value: Activation = functional_call(split.memory, changed, (key,))
    return value


def value_error(split: StyleGAN2Split, rule: Rule, deltas: dict[str, Tensor]) -> float:
    recalled = with_deltas(split, deltas, rule.keys).features
    return weighted_l1(recalled, rule.wanted, region_weights(rule.mask, 10, 1)).item()


def image_error(split: StyleGAN2Split, rule: Rule, deltas: dict[str, Tensor]) -> float:
    image = split.tail(with_deltas(split, deltas, rule.keys))
    return weighted_l1(image, rule.composites, region_weights(rule.image_mask, 10, 1)).item()


def no_change(split: StyleGAN2Split) -> dict[str, Tensor]:
    weights = dict(split.memory.named_parameters())
    return {split.full_name(n): torch.zeros_like(weights[n]) for n in split.memory_weights()}


@pytest.mark.parametrize(
    ("recall", "measures"),
    [("value", [value_error]), ("image", [image_error]), ("both", [value_error, image_error])],
)
def test_the_memory_learns_what_it_shall_recall(
    split: StyleGAN2Split, rule: Rule, recall: Any, measures: list[Callable[..., float]]
) -> None:
    deltas = fit_memory(split, rule, replace(ENOUGH, recall=recall)).deltas
    for measure in measures:
        assert measure(split, rule, deltas) < 0.95 * measure(split, rule, no_change(split))


def test_the_result_is_a_change_of_the_memorys_weights_by_full_name(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    deltas = fit_memory(split, rule, SHORT).deltas
    parameters = dict(generator.named_parameters())
    assert list(deltas) == [split.full_name(name) for name in split.memory_weights()]
    for name, delta in deltas.items():
        assert delta.shape == parameters[name].shape
        assert delta.dtype == torch.float32
        assert delta.abs().max() > 0
        assert not delta.requires_grad


@pytest.mark.parametrize("trains", [True, False])
@pytest.mark.parametrize("recall", ["value", "image", "both"])
def test_the_generator_is_left_exactly_as_it_was(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule, recall: Any, trains: bool
) -> None:
    generator.requires_grad_(trains)
    generator.conv(4).bias.requires_grad_(not trains)
    flags = {name: p.requires_grad for name, p in generator.named_parameters()}
    digest = generator.digest()
    fit_memory(split, rule, replace(SHORT, recall=recall))
    assert generator.digest() == digest
    assert {name: p.requires_grad for name, p in generator.named_parameters()} == flags
    assert all(p.grad is None for p in generator.parameters())


def test_latents_with_a_graph_of_their_own_do_no_harm(
    generator: StyleGAN2, split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    generator.requires_grad_(True)
    tracked = [replace(e, latent=generator.seed_latents([3])) for e in examples]
    assert tracked[0].latent.ws.requires_grad
    rule = build_rule(split, project, tracked, RuleSettings())
    deltas = fit_memory(split, rule, SHORT).deltas
    assert value_error(split, rule, deltas) < value_error(split, rule, no_change(split))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_two_fits_are_equal_bit_for_bit(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, precision: Any
) -> None:
    config = replace(SHORT, precision=precision)
    first = fit_memory(split, rule, config, preserved).deltas
    torch.randn(100)  # the global generator has no part in it
    second = fit_memory(split, rule, config, preserved).deltas
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = fit_memory(split, rule, replace(config, seed=1), preserved).deltas
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_bf16_gives_float32_changes_of_the_same_quality(split: StyleGAN2Split, rule: Rule) -> None:
    errors = []
    for precision in ("fp32", "bf16"):
        deltas = fit_memory(split, rule, replace(ENOUGH, precision=precision)).deltas  # type: ignore[arg-type]
        assert all(delta.dtype == torch.float32 for delta in deltas.values())
        errors.append(value_error(split, rule, deltas))
    assert errors[1] == pytest.approx(errors[0], rel=0.05)


def moved(split: StyleGAN2Split, preserved: Preserved, deltas: dict[str, Tensor]) -> Tensor:
    """How far images of preserved samples are from what they were, ``[P, 1, R, R]``."""
    images = split.tail(with_deltas(split, deltas, preserved.keys))
    return (images - preserved.images).abs().mean(dim=1, keepdim=True)


def test_preserved_samples_restrain_the_change(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    free = fit_memory(split, rule, ENOUGH).deltas
    kept = fit_memory(split, rule, replace(ENOUGH, preserve_weight=3.0), preserved).deltas
    free_change = moved(split, preserved, free).mean()
    assert moved(split, preserved, kept).mean() < 0.6 * free_change
    assert value_error(split, rule, kept) < value_error(split, rule, no_change(split))


@pytest.mark.parametrize("recall", ["value", "image"])
def test_samples_are_preserved_only_where_they_shall_be(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, recall: Any
) -> None:
    left = preserved.image_keep.clone()
    left[..., 16:] = 0
    half = replace(preserved, keep=left[:, :, ::2, ::2], image_keep=left)
    config = replace(ENOUGH, recall=recall, preserve_weight=3.0)
    whole = moved(split, preserved, fit_memory(split, rule, config, preserved).deltas)
    part = moved(split, preserved, fit_memory(split, rule, config, half).deltas)
    assert part[..., 18:].mean() > 1.2 * whole[..., 18:].mean()


def test_preserving_without_weight_is_the_paper(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    plain = fit_memory(split, rule, SHORT).deltas
    same = fit_memory(split, rule, replace(SHORT, preserve_weight=0), preserved).deltas
    assert all(torch.equal(same[name], plain[name]) for name in plain)


def test_no_samples_to_preserve_cost_nothing(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    values, images = preserved.values[:0], preserved.images[:0]
    keep, image_keep = preserved.keep[:0], preserved.image_keep[:0]
    none = Preserved(preserved.keys.select([]), values, images, keep, image_keep)
    reports: list[dict[str, float]] = []
    fit_memory(split, rule, SHORT, none, on_report=lambda _, losses: reports.append(losses))
    assert not any("preserve_value" in losses for losses in reports)
    assert reports[-1]["recall_value"] < reports[0]["recall_value"]


@pytest.mark.parametrize(
    ("recall", "terms"),
    [
        ("value", ["recall_value", "preserve_value"]),
        ("image", ["recall_image", "preserve_value", "preserve_image"]),
        ("both", ["recall_value", "recall_image", "preserve_value", "preserve_image"]),
    ],
)
def test_reports_name_every_term(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, recall: Any, terms: list[str]
) -> None:
    reports: list[tuple[int, dict[str, float]]] = []
    config = replace(SHORT, recall=recall)
    fit_memory(
        split,
        rule,
        config,
        preserved,
        on_report=lambda step, losses: reports.append((step, losses)),
    )
    assert [step for step, _ in reports] == [0, 5, 10, 11]
    for _, losses in reports:
        assert list(losses) == ["total", *terms]
        assert losses["total"] == pytest.approx(sum(losses[name] for name in terms), rel=1e-5)


def test_structure_is_a_term_of_its_own_where_recall_is_measured_on_the_image(
    split: StyleGAN2Split, rule: Rule
) -> None:
    reports: list[dict[str, float]] = []
    config = replace(SHORT, recall="image", structure_weight=0.5, steps=30)
    fit_memory(split, rule, config, None, on_report=lambda _, losses: reports.append(losses))
    assert list(reports[0]) == ["total", "recall_image", "recall_structure"]
    assert reports[-1]["recall_structure"] < reports[0]["recall_structure"]


def test_the_first_report_is_the_error_before_any_change(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    reports: list[dict[str, float]] = []
    config = replace(SHORT, image_weight=3.0, weight_new=10.0, weight_old=1.0)
    fit_memory(split, rule, config, preserved, on_report=lambda _, losses: reports.append(losses))
    unchanged = no_change(split)
    assert reports[0]["recall_value"] == pytest.approx(
        value_error(split, rule, unchanged), rel=1e-4
    )
    wanted = 3 * image_error(split, rule, unchanged)
    assert reports[0]["recall_image"] == pytest.approx(wanted, rel=1e-4)
    assert reports[0]["preserve_value"] == pytest.approx(0, abs=1e-5)
    assert reports[0]["preserve_image"] == pytest.approx(0, abs=1e-5)


def test_a_step_far_too_large_is_named(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    digest = generator.digest()
    message = r"the fit diverged at step 5: got loss \S+; lower lr, now 1e\+09"
    with pytest.raises(RewriteError, match=message):
        fit_memory(split, rule, replace(SHORT, lr=1e9))
    assert generator.digest() == digest


@pytest.mark.parametrize("lr", [1e6, 1e30])
def test_a_last_step_far_too_large_is_named_too(
    split: StyleGAN2Split, rule: Rule, lr: float
) -> None:
    message = r"the fit diverged at step 1: got loss \S+; lower lr, now 1e\+"
    with pytest.raises(RewriteError, match=message):
        fit_memory(split, rule, replace(SHORT, steps=1, lr=lr))


@pytest.mark.parametrize("solver", ["adam", "closed-form"])
def test_large_weights_are_no_divergence(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, solver: Any
) -> None:
    settings = replace(SHORT, solver=solver, recall="both", image_weight=1e6, steps=2)
    assert fit_memory(split, rule, settings, preserved).deltas


def test_rules_that_are_not_finite_are_named_at_once(split: StyleGAN2Split, rule: Rule) -> None:
    broken = replace(rule, wanted=torch.full_like(rule.wanted, math.nan))
    message = "the fit diverged at step 0: got loss nan; look for numbers that are not finite"
    with pytest.raises(RewriteError, match=message):
        fit_memory(split, broken, SHORT)


def test_a_rule_of_another_layer_is_refused(split: StyleGAN2Split, rule: Rule) -> None:
    other = replace(rule, wanted=torch.zeros(2, 8, 8, 8))
    message = (
        r"memory and rule differ in shape: got recalled \[2, 8, 16, 16\], expected \[2, 8, 8, 8\]; "
        r"was the rule made for another value layer\?"
    )
    with pytest.raises(RewriteError, match=message):
        fit_memory(split, other, SHORT)


def test_flags_return_after_a_failure(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    generator.requires_grad_(True)

    def fail(step: int, losses: dict[str, float]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fit_memory(split, rule, SHORT, on_report=fail)
    assert all(p.requires_grad for p in generator.parameters())


def test_a_stopped_fit_hands_over_what_it_learned(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(len(asked))
        return len(asked) == 11

    digest = generator.digest()
    fitted = fit_memory(split, rule, ENOUGH, should_stop=should_stop)
    assert (fitted.steps, fitted.stopped) == (11, True)
    assert list(fitted.deltas) == [split.full_name(name) for name in split.memory_weights()]
    assert value_error(split, rule, fitted.deltas) < value_error(split, rule, no_change(split))
    assert generator.digest() == digest


def test_a_fit_shows_how_far_it_is(split: StyleGAN2Split, rule: Rule) -> None:
    shown: list[tuple[int, dict[str, Tensor]]] = []
    fit_memory(split, rule, SHORT, on_partial=lambda *at: shown.append(at))
    assert [steps for steps, _ in shown] == [5, 10]
    asked = iter([False, False, False, False, True])
    fitted = fit_memory(split, rule, SHORT, should_stop=lambda: next(asked))
    assert all(torch.equal(fitted.deltas[name], delta) for name, delta in shown[0][1].items())


def test_a_fit_that_is_told_to_stop_after_its_last_step_is_whole(
    split: StyleGAN2Split, rule: Rule
) -> None:
    fitted = fit_memory(split, rule, replace(SHORT, steps=1), should_stop=lambda: True)
    assert (fitted.steps, fitted.stopped) == (1, False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps: got 0, expected 1 or more"),
        ({"report_every": 0}, "report_every: got 0, expected 1 or more"),
        ({"preserve": -1}, "preserve: got -1, expected 0 or more"),
        ({"preserve_batch": 0}, "preserve_batch: got 0, expected 1 or more"),
        ({"lr": 0.0}, "lr: got 0.0, expected a number above 0"),
        ({"lr": math.nan}, "lr: got nan, expected a number above 0"),
        ({"lr": math.inf}, "lr: got inf, expected a number above 0"),
        ({"recall": "values"}, "recall: got 'values', expected value or image or both"),
        ({"precision": "fp16"}, "precision: got 'fp16', expected auto or bf16 or fp32"),
        ({"weight_new": 0.0}, "weights: got new 0, old 4, expected new from 1e-06 and old from 0"),
        ({"weight_new": 1e-300}, "weights: got new 1e-300, old 4, expected new from 1e-06 and"),
        ({"weight_old": -1.0}, "weights: got new 10, old -1, expected new from 1e-06"),
        ({"weight_new": math.nan}, "weights: got new nan, old 4"),
        ({"weight_old": 1e300}, r"weights: got new 10, old 1e\+300, .*, both to 1e\+06"),
        ({"border": 1.5}, "border: got 1.5, expected 0 to 1"),
        ({"structure_weight": -1.0}, "structure_weight: got -1.0, expected 0 or more"),
        ({"image_weight": -1.0}, "image_weight: got -1.0, expected 0 or more"),
        ({"image_weight": 1e7}, r"image_weight: got 10000000.0, expected at most 1e\+06"),
        ({"structure_weight": 1e300}, r"structure_weight: got 1e\+300, expected at most 1e\+06"),
        ({"preserve_weight": 1e300}, r"preserve_weight: got 1e\+300, expected at most 1e\+06"),
        ({"preserve_weight": math.nan}, "preserve_weight: got nan, expected 0 or more"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RewriteError, match=message):
        FitSettings(**changes)


@pytest.mark.parametrize("solver", ["adam", "both"])
@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("recall", ["value", "image", "both"])
def test_a_recorded_fit_gives_what_a_called_one_gives(
    split: StyleGAN2Split,
    rule: Rule,
    preserved: Preserved,
    recall: Any,
    keeps: bool,
    solver: Any,
) -> None:
    """With samples that take turns, also at the end of their list: five, two in each step."""
    config = replace(SHORT, recall=recall, solver=solver, structure_weight=0.2)
    moments, tracer = measure_moments(split, [preserved.keys]), Tracer()

    def fitted(config: FitSettings, graphs: Graphs) -> tuple[dict[str, Tensor], list[Any]]:
        reports: list[Any] = []
        found = fit_memory(
            split,
            rule,
            config,
            preserved if keeps else None,
            moments,
            graphs=graphs,
            on_report=lambda step, losses: reports.append((step, losses)),
        )
        return found.deltas, reports

    called, told = fitted(config, Graphs(None))
    recorded, also_told = fitted(replace(config, crops=True), Graphs(tracer))  # on whole images
    assert tracer.replays == config.steps
    assert all(torch.equal(recorded[name], delta) for name, delta in called.items())
    assert also_told == told


def test_the_recording_is_one_for_all_steps(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    recordings = []

    def recorder(call: Callable[[], Any]) -> tuple[Callable[[], object], Any]:
        recordings.append(call)
        return Tracer()(call)

    fit_memory(split, rule, SHORT, preserved, graphs=Graphs(recorder))
    assert len(recordings) == 1
