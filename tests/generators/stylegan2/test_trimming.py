from __future__ import annotations

import torch

from regen.generators.stylegan2.trimming import Span, trimmed


def test_spans_of_half_and_twice_the_resolution() -> None:
    assert Span(-3, 5).halved() == Span(-2, 3)
    assert Span(-2, 3).doubled() == Span(-4, 6)
    assert Span(0, 2).grown(1).joined(Span(1, 5)) == Span(-1, 5)


def test_a_trimmed_layer_is_its_part_with_zero_outside_the_image() -> None:
    x = torch.randn(2, 3, 6, 7)
    given, needed = (Span(-2, 4), Span(0, 7)), (Span(-1, 3), Span(2, 6))
    inside = ((1, Span(1, 4), Span(0, 2)),)
    wanted = x[..., 1:5, 2:6].clone()
    wanted[1, :, :1], wanted[1, ..., 2:] = 0, 0
    assert torch.equal(trimmed(x, given, needed, inside), wanted)
    assert trimmed(x, given, given, ()) is x


def test_its_gradients_are_exact_and_keep_the_memory_format() -> None:
    given, needed = (Span(0, 4), Span(0, 5)), (Span(1, 3), Span(1, 5))
    inside = ((0, Span(0, 1), Span(0, 4)),)

    def part(x: torch.Tensor) -> torch.Tensor:
        return trimmed(x, given, needed, inside)

    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(part, x) and torch.autograd.gradgradcheck(part, x)
    laid_out = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    got = part(laid_out)
    (gradient,) = torch.autograd.grad(got.square().sum(), laid_out)
    for tensor in (got, gradient):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
