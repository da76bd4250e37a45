from __future__ import annotations

import pytest
import torch

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.sampling import Sampler, kept_positions
from regen.projector.settings import CompositeSettings, ProjectorTrainingSettings
from tests.tolerances import assert_near


def sampler(tiny: StyleGAN2, split: StyleGAN2Split, **settings: object) -> Sampler:
    config = ProjectorTrainingSettings(batch=4, **settings)  # type: ignore[arg-type]
    return Sampler(tiny, split, tiny.source(), config, count=4, seed=3)


def test_without_composites_images_are_samples(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    batch = sampler(tiny, tiny_split, composites=0.0).next_batch()
    assert torch.equal(batch.image, tiny_split.tail(batch.value))
    assert batch.pasted.shape == (4, 1, 16, 16) and batch.pasted.sum() == 0
    assert batch.kept.shape == (4, 1, 8, 8) and batch.kept.min() == 1
    assert batch.value.features.shape == (4, 8, 8, 8)


def test_a_share_of_the_images_are_composites(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    pastes = CompositeSettings(radius=(20, 30), usual=0.0)
    batch = sampler(tiny, tiny_split, composites=0.5, pastes=pastes).next_batch()
    plain = tiny_split.tail(batch.value)
    changed = (batch.image - plain).flatten(1).abs().amax(dim=1) > 0
    assert changed.tolist() == [True, True, False, False]
    assert batch.kept[:2].min() == 0 and batch.kept[2:].min() == 1


def test_batches_differ_and_follow_the_state(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    source = sampler(tiny, tiny_split)
    state = source.random.get_state()
    first, second = source.next_batch(), source.next_batch()
    assert not torch.equal(first.image, second.image)
    source.random.set_state(state)
    assert torch.equal(source.next_batch().image, first.image)


@pytest.mark.parametrize("context", ["own", "mean", "swap"])
def test_the_context_that_decodes(
    context: str, tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    source = sampler(tiny, tiny_split, context=context)
    value = source.next_batch().value
    decoding = source.decoding_context(value)
    if context == "own":
        wanted = value
    elif context == "swap":
        wanted = value.select([1, 2, 3, 0])
    else:
        wanted = tiny_split.value_of(tiny.seed_latents([5, 6, 7, 8], truncation=0.0))
    decoded = tiny_split.tail(decoding.with_features(value.features))
    assert_near(decoded, tiny_split.tail(wanted.with_features(value.features)))


def test_statistics_are_those_of_the_values(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    mean, std = sampler(tiny, tiny_split).statistics(24)
    samples = tiny.source().varied(range(1_000_000, 1_000_024))
    values = tiny_split.value_of(tiny.latents(samples)).features
    assert_near(mean, values.mean(dim=(0, 2, 3), keepdim=True))
    wanted = values.std(dim=(0, 2, 3), keepdim=True, correction=0)
    assert torch.allclose(std, wanted, rtol=1e-3, atol=1e-5)


def test_a_channel_that_never_changes_has_a_deviation(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    with torch.no_grad():
        tiny.conv(3).weight[0].zero_()
    _, std = sampler(tiny, tiny_split).statistics(8)
    assert std[0, 0] == pytest.approx(1e-3 * std.max().item()) and std.min() > 0


def test_kept_positions_leave_a_margin_around_a_paste() -> None:
    pasted = torch.zeros(1, 1, 16, 16)
    pasted[..., 8, 8] = 1.0
    kept = kept_positions(pasted, torch.zeros(1, 2, 8, 8))[0, 0]
    assert kept[3:6, 3:6].sum() == 0
    assert kept.sum() == 64 - 9


def test_positions_under_next_to_nothing_are_kept() -> None:
    assert kept_positions(torch.full((1, 1, 4, 4), 0.01), torch.zeros(1, 1, 4, 4)).min() == 1
