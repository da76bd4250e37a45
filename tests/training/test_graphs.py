"""What is recorded gives what is called, from fixed places; a processor records nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from regen.training.graphs import Graphs, Outputs, gradients, graphs_for, set_gradients
from tests.helpers.recording import Tracer


def scaled(network: nn.Linear, x: Tensor) -> Outputs:
    loss = network(x).square().mean()
    return (loss.detach(), *gradients(loss, network.parameters()))


def test_a_recorded_function_follows_its_inputs_and_parameters() -> None:
    network, tracer = nn.Linear(3, 2), Tracer()
    graphs = Graphs(tracer)
    for number in range(4):
        x = torch.randn(5, 3, generator=torch.Generator().manual_seed(number))
        found = graphs.run("f", lambda x: scaled(network, x), x)
        for got, wanted in zip(found, scaled(network, x), strict=True):
            assert got is not None and wanted is not None and torch.equal(got, wanted)
        with torch.no_grad():
            network.weight.add_(1.0)
    assert tracer.replays == 4


def test_other_shapes_are_another_recording() -> None:
    graphs = Graphs(Tracer())
    for count in (2, 3, 2):
        (total,) = graphs.run("sum", lambda x: (x.sum(),), torch.ones(count))
        assert total is not None and total.item() == count


@dataclass(frozen=True)
class Tree:
    pair: tuple[torch.Tensor, torch.Tensor | None]
    more: list[dict[str, torch.Tensor]]
    sign: int = 1


def test_trees_of_tensors_are_inputs() -> None:
    tracer = Tracer()
    graphs = Graphs(tracer)

    def total(tree: Tree, x: Tensor) -> Tree:
        return Tree((tree.sign * (tree.pair[0] + tree.more[0]["a"] + x), None), [])

    for sign in (1, 1, -1, 1):
        tree = Tree((torch.randn(2), None), [{"a": torch.randn(2)}], sign)
        found = graphs.run("total", total, tree, torch.ones(2))
        wanted = total(tree, torch.ones(2)).pair[0]
        assert isinstance(found, Tree) and torch.equal(found.pair[0], wanted)
        assert found.pair[1] is None and found.more == []
    assert tracer.replays == 4


def test_a_function_that_asks_for_a_number_cannot_be_recorded() -> None:
    with pytest.raises(RuntimeError, match="tracing tensor"):
        Graphs(Tracer()).run("f", lambda x: (x * x.sum().item(),), torch.ones(2))


def test_the_processor_calls_functions_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.ones(2)
    assert graphs_for(torch.device("cpu")).run("same", lambda x: (x,), x)[0] is x
    monkeypatch.setenv("REGEN_CUDA_GRAPHS", "off")
    assert graphs_for(torch.device("cuda")).run("same", lambda x: (x,), x)[0] is x


def test_what_cannot_be_recorded_is_called_on_a_gpu_too() -> None:
    assert not graphs_for(torch.device("cuda"), recordable=False).records
    assert Graphs(Tracer()).records and not graphs_for(torch.device("cpu")).records


def test_gradients_are_returned_and_nothing_is_added_to() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))
    found = gradients((3 * used).sum(), [used, unused])
    assert found[0] is not None and found[0].tolist() == [3, 3] and found[1] is None
    assert used.grad is None
    set_gradients([used, unused], found)
    assert used.grad is found[0] and unused.grad is None


def test_gradients_lie_in_memory_as_their_parameters_do() -> None:
    weight = nn.Parameter(torch.ones(4, 3, 2, 2).contiguous(memory_format=torch.channels_last))
    (gradient,) = gradients((weight * torch.arange(48.0).view(4, 3, 2, 2)).sum(), [weight])
    assert gradient is not None and gradient.stride() == weight.stride()
    assert torch.equal(gradient, torch.arange(48.0).view(4, 3, 2, 2))
