from __future__ import annotations

import torch

from regen.training.quick_adam import QuickAdam, decline, rise_and_decline
from tests.helpers.processes import imported_by
from tests.tolerances import assert_near


def test_it_is_torch_s_adam() -> None:
    laid_out = torch.randn(2, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    start = [laid_out, torch.randn(5)]
    ours = [tensor.clone().requires_grad_() for tensor in start]
    theirs = [tensor.clone().requires_grad_() for tensor in start]
    adam, reference = QuickAdam(ours, (0.8, 0.95)), torch.optim.Adam(theirs, betas=(0.8, 0.95))
    for lr in (0.1, 0.05, 0.02):
        for group in reference.param_groups:
            group["lr"] = lr
        reference.zero_grad()
        sum(tensor.square().sum() for tensor in theirs).backward()  # type: ignore[union-attr]
        reference.step()
        loss = sum(tensor.square().sum() for tensor in ours)
        assert isinstance(loss, torch.Tensor)
        gradients = torch.autograd.grad(loss, ours)
        adam.step([gradient.contiguous() for gradient in gradients], lr)  # laid out otherwise
    for got, wanted, before in zip(ours, theirs, start, strict=True):
        assert_near(got.detach(), wanted.detach())
        assert not torch.equal(got, before)


def test_it_does_without_the_compiler() -> None:
    code = (
        "import torch; from regen.training.quick_adam import QuickAdam;"
        "x = torch.ones(2, requires_grad=True);"
        "QuickAdam([x], (0.9, 0.99)).step([x.detach()], 0.1)"
    )
    assert imported_by(code, ["torch._dynamo"]) == set()


def test_a_step_size_falls_to_a_tenth() -> None:
    factors = [decline(step / 10) for step in range(11)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 1 and abs(factors[-1] - 0.1) < 1e-12


def test_a_step_size_that_rises_first_is_largest_before_half_way() -> None:
    factors = [rise_and_decline(step / 100) for step in range(101)]
    largest = factors.index(max(factors))
    assert factors[0] == 0 and 40 < largest < 50 and abs(factors[largest] - 1) < 0.03
    assert factors[: largest + 1] == sorted(factors[: largest + 1])
    assert factors[largest:] == sorted(factors[largest:], reverse=True)
    ratio = factors[60] / decline(0.6)
    assert all(abs(factors[i] - ratio * decline(i / 100)) < 1e-12 for i in range(50, 101))
