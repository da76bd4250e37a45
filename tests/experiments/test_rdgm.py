from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
import torch
from torch.func import functional_call

from experiments.baselines.rdgm import (
    RdgmConfig,
    _Crop,
    context_directions,
    key_moment,
    project_on,
    rdgm_insert,
    styled_keys,
)
from regen.errors import RewriteError
from regen.generators.split import Split
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting.rule import Rule

SHORT = RdgmConfig(rank=2, iterations=31, samples=24)


def test_the_moment_is_that_of_all_keys(generator: StyleGAN2, split: StyleGAN2Split) -> None:
    config = RdgmConfig(samples=5, truncation=0.5)
    keys = styled_keys(split, split.head(generator.seed_latents(range(5), 0.5)))
    rows = keys.double().permute(0, 2, 3, 1).reshape(-1, 8)
    expected = rows.T @ rows / len(rows)
    assert torch.allclose(key_moment(generator, split, config, batch=2), expected, rtol=1e-5)


def test_directions_are_orthonormal_and_set_the_region_apart(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    moment = key_moment(generator, split, SHORT)
    directions = context_directions(split, rule, moment, 3)
    assert torch.allclose(directions @ directions.T, torch.eye(3, dtype=torch.float64), atol=1e-9)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("rank", [1, 3])
def test_the_weight_change_lies_in_the_span_of_the_directions(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule, rank: int, direct: bool
) -> None:
    moment = key_moment(generator, split, SHORT)
    config = RdgmConfig(rank=rank, direct=direct, iterations=25, samples=24)
    rewrite = rdgm_insert(generator, split, rule, moment, config)
    assert list(rewrite.deltas) == ["synthesis.convs.6.weight"]
    delta = rewrite.deltas["synthesis.convs.6.weight"]
    directions = context_directions(split, rule, moment, rank)
    assert delta.abs().max() > 0.01
    assert torch.allclose(project_on(delta, directions), delta, atol=1e-5)
    inputs = delta.permute(0, 2, 3, 1).reshape(-1, 8)
    assert torch.linalg.matrix_rank(inputs, atol=1e-4) == rank


def test_the_crop_computes_what_the_whole_convolution_does(
    split: StyleGAN2Split, rule: Rule
) -> None:
    name = "convs.6.weight"
    weight = dict(split.memory.named_parameters())[name] * 1.1
    whole = functional_call(split.memory, {name: weight}, (rule.keys,)).features
    errors = []
    for i, mask in enumerate(rule.mask):
        rows, columns = (mask[0].amax(dim=axis).nonzero().flatten() for axis in (1, 0))
        box = (..., slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        errors.append((whole[i][box] - rule.wanted[i][box]).abs().flatten())
    assert _Crop(split, rule).loss(weight).item() == pytest.approx(
        torch.cat(errors).mean().item(), rel=1e-4
    )


def test_values_within_reach_are_learned_and_the_generator_is_not_touched(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    before, moment = generator.digest(), key_moment(generator, split, SHORT)
    weight = dict(split.memory.named_parameters())["convs.6.weight"].detach()
    change = project_on(torch.randn_like(weight), context_directions(split, rule, moment, 2))
    value = functional_call(split.memory, {"convs.6.weight": weight + change}, (rule.keys,))
    reachable = replace(rule, wanted=value.features)
    config = replace(SHORT, direct=True, iterations=101)
    rewrite = rdgm_insert(generator, split, reachable, moment, config)
    assert generator.digest() == before == rewrite.base
    learned, crop = weight + rewrite.deltas["synthesis.convs.6.weight"], _Crop(split, reachable)
    assert crop.loss(learned).item() < 0.3 * crop.loss(weight).item()


def test_a_memory_of_two_is_refused(generator: StyleGAN2, rule: Rule) -> None:
    moment = torch.eye(8, dtype=torch.float64)
    with pytest.raises(RewriteError, match="got a memory of 2, expected a memory of 1"):
        rdgm_insert(generator, generator.split(6, 2), rule, moment, SHORT)


def test_another_family_is_refused(rule: Rule) -> None:
    with pytest.raises(RewriteError, match="a generator of another family, expected a StyleGAN2"):
        styled_keys(cast(Split, object()), rule.keys)


def test_more_directions_than_keys_are_refused(split: StyleGAN2Split, rule: Rule) -> None:
    with pytest.raises(RewriteError, match="rank: got 999, expected at most"):
        context_directions(split, rule, torch.eye(8, dtype=torch.float64), 999)
