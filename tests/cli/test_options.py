"""Options that commands share."""

from __future__ import annotations

import click
import pytest
import torch
from click.testing import CliRunner

from regen.cli import main
from regen.cli.options import BACKBONES, given
from regen.errors import RegenError
from regen.metrics import backbone_weights
from regen.rewriting.settings import FitSettings


def test_given_keeps_what_was_given_and_is_a_setting() -> None:
    options = {"steps": 3, "lr": None, "preserve_outside_match": False, "lpips": "vgg"}
    assert given(options, FitSettings) == {"steps": 3, "preserve_outside_match": False}


def test_the_backbones_are_those_of_the_metric() -> None:
    assert backbone_weights.BACKBONES == BACKBONES


def test_auto_is_the_cpu_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device = next(p for p in main.commands["generate"].params if p.name == "device")
    assert device.callback is not None
    context = click.Context(main.commands["generate"])
    assert device.callback(context, device, "auto") == "cpu"
    with pytest.raises(RegenError, match="^--device: got cuda, which torch does not find here, "):
        device.callback(context, device, "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.callback(context, device, "auto") == "cuda"


def test_threads_are_set_for_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, before = list[int](), torch.get_num_threads()
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    CliRunner().invoke(main, ["generate", "--threads", "3", "--generator", "none", "-o", "out"])
    assert asked == [3, before]  # for this command, and not for what comes after it
