"""`regen.cli.common`: options that all commands share, and the command as a whole."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
import torch
from click.testing import CliRunner

from regen.cli import main
from regen.cli.common import BACKBONES, given
from regen.errors import RegenError
from regen.metrics import backbone_weights
from regen.rewriting.settings import FitSettings


def test_given_keeps_what_was_given_and_is_a_setting() -> None:
    options = {"steps": 3, "lr": None, "preserve_outside_match": False, "lpips": "vgg"}
    assert given(options, FitSettings) == {"steps": 3, "preserve_outside_match": False}


def test_the_backbones_are_those_of_the_metric() -> None:
    assert backbone_weights.BACKBONES == BACKBONES


def test_python_m_regen() -> None:
    words = [sys.executable, "-m", "regen", "generate", "--seeds", "x", "-o", "out"]
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 2
    assert (
        result.stderr.startswith("Usage: regen generate") and "'x' is not a list" in result.stderr
    )


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


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("regen.doctor.diagnose", break_down)
    with pytest.raises(ValueError, match="a bug"):
        CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
