"""Steps of a training as CUDA graphs: recorded once, then replayed with one call.

A training step is ten thousand small kernels, and issuing them from Python takes longer than they
run. What is recorded must be a *pure function of tensors*: it reads its inputs and the parameters
of networks, asks no tensor for a number, and changes nothing; it returns gradients, and what is
done with them is not recorded. On anything but a GPU the same function is called as it is.

Recorded inputs are kept at fixed places: new ones are copied there before each replay. Outputs are
at fixed places too, and hold until the next replay of the same function. Inputs may be tensors, or
trees of them (`regen.training.trees`); what else is in these decides which recording it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from regen.training.memory_format import laid_out_as
from regen.training.trees import outline_of, tensors_of, with_tensors

Outputs = tuple[Tensor | None, ...]
Out = TypeVar("Out")
Replay = Callable[[], object]
Recorder = Callable[[Callable[[], Any]], tuple[Replay, Any]]

_VARIABLE = "REGEN_CUDA_GRAPHS"
_WARM_UPS = 2  # calls before the recording, in which libraries choose and allocate


class Graphs:
    """Functions that are recorded the first time they run, where a recorder is given.

    Args:
        recorder: Calls a function once, and returns what repeats the call and the outputs that it
            fills each time; None calls every function as it is.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self._known: dict[object, tuple[list[Tensor], Replay, Any]] = {}

    @property
    def records(self) -> bool:
        """Whether functions are recorded, rather than called as they are."""
        return self._recorder is not None

    def run(self, name: str, function: Callable[..., Out], *inputs: Any) -> Out:
        """The outputs of `function` for `inputs`.

        Args:
            name: Stands for the function; the same name means the same function always.
            function: Pure, see above.
            inputs: Tensors without a gradient, or trees of them; other shapes, or other things in
                a tree, which must be hashable, are another recording.
        """
        if self._recorder is None:
            return function(*inputs)
        given = list(tensors_of(inputs))
        key = (name, outline_of(inputs))
        if key not in self._known:
            places = [x.detach().clone() for x in given]
            kept = with_tensors(inputs, iter(places))
            self._known[key] = (places, *self._recorder(lambda: function(*kept)))
        places, replay, outputs = self._known[key]
        for place, tensor in zip(places, given, strict=True):
            place.copy_(tensor)
        replay()
        outcome: Out = outputs
        return outcome


def graphs_for(device: torch.device, *, recordable: bool = True) -> Graphs:
    """Recorded on a GPU, unless REGEN_CUDA_GRAPHS=off; plain calls elsewhere.

    Args:
        device: Where the functions compute.
        recordable: False for functions that cannot be recorded, which are called everywhere.
    """
    wanted = recordable and device.type == "cuda" and os.environ.get(_VARIABLE) != "off"
    return Graphs(CudaRecorder() if wanted else None)


class CudaRecorder:
    """Records CUDA graphs, which share one pool of memory: they never run at the same time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, call: Callable[[], Any]) -> tuple[Replay, Any]:
        """Warm up on a stream of its own, as recording demands, and record."""
        with _side_stream():
            for _ in range(_WARM_UPS):
                call()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            outputs = call()
        return graph.replay, outputs


@contextmanager
def _side_stream() -> Iterator[None]:
    here, side = torch.cuda.current_stream(), torch.cuda.Stream()
    side.wait_stream(here)
    with torch.cuda.stream(side):
        yield
    here.wait_stream(side)


def gradients(loss: Tensor, parameters: Iterable[nn.Parameter]) -> Outputs:
    """The gradient of a scalar by each parameter, laid out in memory as the parameter is.

    Nothing is added to the parameters. None where the loss does not depend on one.
    """
    wanted = list(parameters)
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return tuple(
        None if gradient is None else laid_out_as(gradient, parameter)
        for parameter, gradient in zip(wanted, found, strict=True)
    )


def set_gradients(parameters: Iterable[nn.Parameter], found: Outputs) -> None:
    """Give each parameter its gradient, for an optimiser."""
    for parameter, gradient in zip(parameters, found, strict=True):
        parameter.grad = gradient
