"""Latents and contexts of translated images."""

from __future__ import annotations

import pytest
import torch

from regen.generators.munit.latent import TranslateContext, TranslateLatent


def test_samples_are_chosen_in_any_order() -> None:
    one = TranslateLatent(torch.rand(3, 3, 4, 8), torch.randn(3, 5))
    chosen = one.select([2, 0, 2])
    assert len(one) == len(chosen) == 3
    assert torch.equal(chosen.images, one.images[[2, 0, 2]])
    assert torch.equal(chosen.styles, one.styles[[2, 0, 2]])


@pytest.mark.parametrize("inside", [False, True])
def test_contexts_are_chosen_joined_and_detached(inside: bool) -> None:
    def context() -> TranslateContext:
        held = torch.randn(2, 3, 4, 4, requires_grad=True) if inside else None
        return TranslateContext(torch.randn(2, 5, requires_grad=True), held)

    one, two = context(), context()
    both = one.join([two])
    assert torch.equal(both.code, torch.cat([one.code, two.code]))
    last = both.select(torch.tensor([3]))
    assert torch.equal(last.code, two.code[1:])
    assert both.code.requires_grad and not both.detach().code.requires_grad
    if inside:
        assert torch.equal(last.held, two.held[1:]) and not both.detach().held.requires_grad
    else:
        assert last.held is None and both.detach().held is None


def test_contexts_of_different_cuts_do_not_join() -> None:
    code = torch.zeros(1, 2)
    with pytest.raises(AssertionError, match="different cuts"):
        TranslateContext(code).join([TranslateContext(code, torch.zeros(1, 1, 1, 1))])
