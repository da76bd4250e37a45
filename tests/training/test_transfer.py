"""What is sent to the device where it is already, stays."""

from __future__ import annotations

import torch

from regen.training.transfer import sent


def test_the_processor_keeps_its_tensors() -> None:
    x = torch.ones(2)
    assert sent(x, torch.device("cpu")) is x


def test_devices_that_are_no_gpu_are_sent_to_as_torch_does() -> None:
    assert sent(torch.ones(2), torch.device("meta")).is_meta
