"""Reasoning: what attention remembers travels as a value."""

from __future__ import annotations

import torch

from regen.generators.rfr.reasoning import Attention, Reasoning
from tests.generators.law import left_in


def test_attention_is_consistent_where_features_were_known() -> None:
    attention, x = Attention(4), torch.randn(1, 4, 4, 4)
    _, first = attention(x, torch.ones(1, 1, 8, 8), None)
    assert first.scores.shape == (1, 16, 4, 4) and first.known.shape == (1, 1, 4, 4)
    torch.testing.assert_close(first.scores.sum(1), torch.ones(1, 4, 4))
    attention.ratio.data.fill_(1e-3)  # what was known then counts almost alone
    _, second = attention(torch.randn(1, 4, 4, 4), torch.ones(1, 1, 8, 8), first)
    assert (second.scores - first.scores).abs().max() < 1e-2
    unknown = type(first)(first.scores, torch.zeros_like(first.known))
    _, other = attention(torch.randn(1, 4, 4, 4), torch.ones(1, 1, 8, 8), unknown)
    assert (other.scores - first.scores).abs().max() > 0.1


def test_nothing_stays_behind() -> None:
    reasoning = Reasoning((8, 16, 32, 64)).eval()
    one, two = torch.randn(2, 1, 8, 16, 24)
    known, before = torch.ones(1, 1, 16, 24), left_in(reasoning)
    first, memory = reasoning(one, known, None)
    reasoning(two, known, memory)
    again, _ = reasoning(one, known, None)
    assert first.shape == one.shape and torch.equal(first, again)
    assert left_in(reasoning) == before
