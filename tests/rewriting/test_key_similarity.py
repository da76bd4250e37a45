from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import RewriteError
from regen.rewriting.key_similarity import KeyMatcher, match_keys

CHANNELS, SIDE = 12, 16
EYES = (slice(4, 6), slice(3, 13))  # rows and columns: 20 of 256 positions


def planted(samples: int, *, strength: float = 4.0, at: tuple[slice, slice] = EYES) -> Tensor:
    """Keys that share a strong mean and vary; positions of the region share a weaker direction."""
    keys = torch.randn(samples, CHANNELS, SIDE, SIDE)
    keys[:, 0] += 30  # what all keys share
    keys[:, 1] *= 10  # where all keys vary
    keys[:, 4:] *= 10
    keys[:, 2, at[0], at[1]] += strength
    keys[:, 3, at[0], at[1]] -= strength
    return keys


def region(samples: int, side: int = SIDE) -> Tensor:
    mask = torch.zeros(samples, 1, SIDE, SIDE)
    mask[:, :, EYES[0], EYES[1]] = 1
    return F.interpolate(mask, size=(side, side), mode="nearest")


@pytest.fixture
def matcher() -> KeyMatcher:
    return match_keys(planted(16), planted(3), region(3))


def auc(similarity: Tensor, inside: Tensor) -> float:
    """The chance that a position inside is more similar than one outside."""
    return (similarity[inside][:, None] > similarity[~inside][None]).float().mean().item()


def test_a_planted_direction_is_found_in_unseen_samples_wherever_it_is(matcher: KeyMatcher) -> None:
    for at in (EYES, (slice(11, 14), slice(0, 5))):
        similarity = matcher.similarity(planted(4, at=at))
        inside = torch.zeros(4, 1, SIDE, SIDE, dtype=torch.bool)
        inside[:, :, at[0], at[1]] = True
        assert auc(similarity, inside) > 0.98


def test_without_whitening_what_all_keys_share_would_hide_it(matcher: KeyMatcher) -> None:
    plain = KeyMatcher(
        torch.eye(CHANNELS, dtype=torch.float64),
        F.normalize(matcher.directions @ matcher.whitening.inverse(), dim=1),
        matcher.share,
    )
    unseen, inside = planted(4), region(4).bool()
    assert auc(plain.similarity(unseen), inside) < 0.8 < auc(matcher.similarity(unseen), inside)


def test_similarity_is_the_largest_cosine_of_whitened_keys(matcher: KeyMatcher) -> None:
    unseen = planted(2)
    got = matcher.similarity(unseen)
    assert got.shape == (2, 1, SIDE, SIDE)
    assert got.dtype == torch.float32
    assert float(got.abs().max()) <= 1 + 1e-6
    for n, y, x in ((0, 0, 0), (1, 4, 5), (1, 15, 7)):
        key = matcher.whitening @ unseen[n, :, y, x].double()
        cosines = matcher.directions @ (key / key.norm())
        assert got[n, 0, y, x].item() == pytest.approx(cosines.max().item(), abs=1e-6)


def test_keys_of_the_region_are_similar_to_themselves() -> None:
    targets = planted(2)
    similarity = match_keys(planted(8), targets, region(2)).similarity(targets)
    torch.testing.assert_close(similarity[region(2).bool()], torch.ones(40))


def test_whitening_is_the_inverse_root_of_the_second_moment() -> None:
    samples = planted(16)
    matcher = match_keys(samples, samples[:1], region(1))
    rows = samples.permute(0, 2, 3, 1).reshape(-1, CHANNELS).double()
    moment = rows.T @ rows / len(rows)
    ridge = 1e-3 * moment.diagonal().mean() * torch.eye(CHANNELS, dtype=torch.float64)
    whitened = matcher.whitening @ (moment + ridge) @ matcher.whitening
    torch.testing.assert_close(whitened, torch.eye(CHANNELS, dtype=torch.float64))


def test_channels_that_are_always_zero_do_no_harm() -> None:
    samples, targets = planted(8), planted(2)
    samples[:, 5], targets[:, 5] = 0, 0
    similarity = match_keys(samples, targets, region(2)).similarity(planted(2))
    assert similarity.isfinite().all()


@pytest.mark.parametrize("side", [8, 16, 32])
def test_the_share_is_that_of_the_region_at_any_size(side: int) -> None:
    matcher = match_keys(planted(2), planted(3), region(3, side))
    assert matcher.share == pytest.approx(region(1, side).mean().item())


@pytest.mark.parametrize("slack", [0.5, 1.0, 2.0])
def test_the_mask_covers_the_share_times_the_slack(matcher: KeyMatcher, slack: float) -> None:
    mask = matcher.mask(planted(6), (SIDE, SIDE), slack=slack)
    assert float(mask.min()) >= 0
    assert float(mask.max()) <= 1
    covered = (mask >= 0.5).float().mean().item()
    assert covered == pytest.approx(slack * 20 / 256, abs=2 / 256)


def test_the_mask_lies_on_the_region_at_the_size_asked_for(matcher: KeyMatcher) -> None:
    mask = matcher.mask(planted(4), (64, 48))
    assert mask.shape == (4, 1, 64, 48)
    eyes, forehead = mask[:, :, 16:24, 9:39], mask[:, :, :14]
    assert eyes.mean() > 0.8
    assert forehead.mean() < 0.1


def test_samples_share_one_ranking(matcher: KeyMatcher) -> None:
    with_eyes, without = planted(2), planted(2, strength=0)
    mask = matcher.mask(torch.cat([with_eyes, without]), (SIDE, SIDE), slack=0.5)
    assert mask[:2].mean() > 3 * mask[2:].mean()


def test_a_region_of_everything_masks_everything() -> None:
    matcher = match_keys(planted(2), planted(1), torch.ones(1, 1, 4, 4))
    assert matcher.share == 1
    assert matcher.mask(planted(2), (SIDE, SIDE)).min() >= 0.5


def test_many_keys_are_reduced_to_those_most_inside() -> None:
    soft = torch.full((4, 1, SIDE, SIDE), 0.4)
    soft[:, :, :, :12] = 0.7
    soft[:, :, EYES[0], EYES[1]] = 1
    matcher = match_keys(planted(4), planted(4), soft)
    assert matcher.directions.shape == (512, CHANNELS)  # of 768 that count as inside
    torch.testing.assert_close(matcher.directions.norm(dim=1), torch.ones(512).double())


def test_a_region_without_a_key_is_refused() -> None:
    with pytest.raises(RewriteError, match="region: got no key position, expected at least one"):
        match_keys(planted(2), planted(1), torch.zeros(1, 1, 8, 8))
