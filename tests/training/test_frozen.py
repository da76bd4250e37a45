"""What a block borrows it returns, whatever happens inside."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from regen.training.frozen import computing_in, evaluating, frozen


class Network(nn.Module):
    """Two layers, of which one may be trained or in eval mode without the other."""

    def __init__(self) -> None:
        super().__init__()
        self.precision = torch.float32
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)


def test_each_parameter_gets_its_own_flag_back() -> None:
    network = Network().requires_grad_(False)
    network.second.bias.requires_grad_(True)
    with pytest.raises(KeyError), frozen(network):
        assert not any(p.requires_grad for p in network.parameters())
        raise KeyError
    assert [n for n, p in network.named_parameters() if p.requires_grad] == ["second.bias"]


def test_no_graph_leads_to_a_frozen_parameter_but_through_it() -> None:
    network, x = Network(), torch.ones(1, 2, requires_grad=True)
    with frozen(network):
        y = network.first(x)
    y.sum().backward()
    assert x.grad is not None and network.first.weight.grad is None


def test_each_module_gets_its_own_mode_back() -> None:
    network = Network()
    network.first.eval()
    with pytest.raises(KeyError), evaluating(network):
        assert not any(module.training for module in network.modules())
        raise KeyError
    assert network.training and not network.first.training and network.second.training


def test_the_precision_returns() -> None:
    network = Network()
    with pytest.raises(KeyError), computing_in(network, torch.bfloat16):
        assert network.precision == torch.bfloat16
        raise KeyError
    assert network.precision == torch.float32
