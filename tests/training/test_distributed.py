from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from regen.errors import TrainingError
from regen.training.distributed import Workers, own_device, workers

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that torchrun has not written to."""
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_one_process_is_the_identity() -> None:
    with workers(CPU) as group:
        assert group == Workers(rank=0, count=1)
        x = torch.tensor([2.0])
        assert group.average(x) is x and group.gather(x) == [x]
        parameter = nn.Parameter(torch.zeros(1))
        parameter.grad = torch.ones(1)
        group.average_gradients([parameter])
        assert parameter.grad.item() == 1


@pytest.mark.parametrize(
    ("device", "backend"), [("cpu", "gloo"), ("mps", "gloo"), ("cuda:1", "cpu:gloo,cuda:nccl")]
)
def test_gpus_exchange_by_nccl_and_processors_by_gloo(
    device: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(dist, "init_process_group", seen.append)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: seen.append("left"))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    with workers(torch.device(device)) as group:
        assert group == Workers(1, 2) and seen == [backend]
    assert seen == [backend, "left"]


def test_processes_that_cannot_meet_are_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    message = "WORLD_SIZE asks for several processes, and they cannot meet .*MASTER_ADDR.*; start"
    with pytest.raises(TrainingError, match=message), workers(CPU):
        pass


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert own_device("cuda") == torch.device("cuda") and chosen == []
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert own_device("cuda") == torch.device("cuda", 1) and chosen == [1]
    assert own_device("cpu") == CPU and chosen == [1]


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    message = "processes on this machine: got 3 or more, expected at most 2, one for each GPU; "
    with pytest.raises(TrainingError, match=message):
        own_device("cuda")
