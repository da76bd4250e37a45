"""Latents and contexts of filled images."""

from __future__ import annotations

import torch

from regen.generators.rfr.latent import FillContext, FillLatent


def latent(count: int = 3) -> FillLatent:
    return FillLatent(
        torch.rand(count, 3, 4, 5) * 2 - 1, torch.randint(0, 2, (count, 1, 4, 5)) * 1.0
    )


def test_samples_are_chosen_in_any_order() -> None:
    one = latent()
    chosen = one.select([2, 0, 2])
    assert len(one) == len(chosen) == 3
    assert torch.equal(chosen.images, one.images[[2, 0, 2]])
    assert torch.equal(chosen.known, one.known[[2, 0, 2]])
    assert torch.equal(one.to(torch.device("cpu")).images, one.images)


def test_what_is_seen_and_what_is_completed() -> None:
    one, filled = latent(), torch.rand(3, 3, 4, 5)
    assert torch.equal(one.seen, (one.images + 1) / 2 * one.known)
    done, known = one.completed(filled), one.known.expand(-1, 3, -1, -1) > 0
    assert torch.equal(done[known], one.images[known])
    assert torch.equal(done[~known], (filled * 2 - 1)[~known])


def test_contexts_are_chosen_joined_and_detached() -> None:
    one, two = (FillContext(latent(2), torch.rand(2, 1, 2, 3, requires_grad=True)) for _ in "ab")
    both = one.join([two])
    assert torch.equal(both.select(torch.tensor([2])).found, two.found[:1])
    assert torch.equal(both.latent.images[2:], two.latent.images)
    assert both.found.requires_grad and not both.detach().found.requires_grad
