"""Signals that ask to stop: exit code 130, and a message that says what was kept whole."""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable
from typing import Any

import click
import pytest

from regen.files import tensor_file
from regen.generators.stylegan2.generator import StyleGAN2
from regen.rewriting.rewrite import Rewrite
from regen.runs.logbook import Logbook
from regen.runs.progress import Progress
from tests.helpers.signals import STOP

REWRITE = ("rewrite", "--edits", "edits.json", "--preserve", "2", "--seeds", "2", "-o", "out")
TRAIN = ("train-projector", "--generator", "g.safetensors", "--batch", "4", "--kimg", "0.016")
pytestmark = pytest.mark.usefixtures("usual_handlers")


def press_in(
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    when: Callable[..., bool],
    number: signal.Signals = signal.SIGINT,
) -> None:
    """Send a signal, Ctrl-C's, in the first call of a method for whose arguments `when` is true."""
    method = getattr(owner, name)
    pressed = []

    def press(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not pressed and when(self, *args):
            pressed.append(True)
            signal.raise_signal(number)
        return method(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, press)


def files(world: Any) -> list[str]:
    """What is in the output folder beside TensorBoard's events."""
    return [name for name in world.left() if not name.startswith("events.out.tfevents.")]


@pytest.mark.parametrize("number", STOP)
def test_in_the_fit_what_was_learned_is_kept(
    world: Any, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    press_in(monkeypatch, Logbook, "scalars", lambda self, values, step: step == 10, number)
    result = world.run(*REWRITE, "--steps", "30")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == (
        "Interrupted: the rewrite after 11 of 30 steps is in out/rewrite.partial.safetensors"
    )
    assert files(world) == ["edits.json", "rewrite.partial.safetensors", "settings.json"]
    partial = Rewrite.load(world.folder / "out" / "rewrite.partial.safetensors")
    assert partial.settings["interrupted_after_steps"] == 11
    assert all(delta.abs().max() > 0 for delta in partial.deltas.values())


def test_a_partial_rewrite_can_be_used(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    press_in(monkeypatch, Logbook, "scalars", lambda self, values, step: step == 0)
    assert world.run(*REWRITE, "--steps", "30").exit_code == 130
    words = ("generate", "--generator", "g.safetensors", "--seeds", "0-1", "-o", "sheet")
    assert world.run(*words, "--rewrite", "out/rewrite.partial.safetensors").exit_code == 0


def test_a_finished_rewrite_takes_the_place_of_a_partial_one(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_in(monkeypatch, Logbook, "scalars", lambda self, values, step: step == 0)
    assert world.run(*REWRITE, "--steps", "3").exit_code == 130
    assert world.run(*REWRITE, "--steps", "3").exit_code == 0
    assert "rewrite.partial.safetensors" not in files(world)
    assert "rewrite.safetensors" in files(world)


def test_before_the_first_step_nothing_is_kept(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    press_in(monkeypatch, Progress, "__enter__", lambda self: True)
    result = world.run(*REWRITE)
    assert (result.exit_code, result.stderr) == (130, "\nInterrupted: nothing was kept\n")
    assert files(world) == ["edits.json", "settings.json"]


def test_after_the_fit_the_rewrite_is_kept(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    press_in(monkeypatch, StyleGAN2, "forward", lambda self, latent: True)
    result = world.run(*REWRITE, "--steps", "2")
    assert result.exit_code == 130
    assert result.stderr == (
        "\nInterrupted: the rewrite is in out/rewrite.safetensors, without its report\n"
    )
    assert files(world) == ["edits.json", "rewrite.safetensors", "settings.json"]


@pytest.mark.parametrize("number", STOP)
def test_training_keeps_a_checkpoint_that_is_resumed(
    world: Any, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    assert world.run(*TRAIN, "-o", "whole").exit_code == 0
    press_in(monkeypatch, Logbook, "settings", lambda self, settings: True, number)
    result = world.run(*TRAIN, "-o", "out")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.splitlines()[-1] == (
        "Interrupted: 1 of 4 steps are in out/checkpoint.pt; "
        "--resume with the same options continues"
    )
    assert files(world) == ["checkpoint.pt", "settings.json"]
    assert world.run(*TRAIN, "-o", "out", "--resume").exit_code == 0
    digests = [
        tensor_file.read_header(world.folder / name / "projector.safetensors")["digest"]
        for name in ("whole", "out")
    ]
    assert digests[0] == digests[1]


def test_projecting_keeps_the_images_that_are_done(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_in(monkeypatch, Progress, "advance", lambda *_: True)
    words = ("project", "cat.png", "cat.png", "--generator", "g.safetensors", "-o", "out")
    result = world.run(*words, "--projector", "p.safetensors")
    assert result.exit_code == 130
    assert result.stderr == "\nInterrupted: 1 of 2 images are in out\n"
    assert files(world) == ["cat.features.safetensors", "cat.png", "metrics.json"]


def test_generating_keeps_the_images_that_are_done(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    press_in(monkeypatch, Progress, "advance", lambda *_: True)
    words = ("generate", "--generator", "g.safetensors", "--seeds", "0-40", "-o", "out")
    result = world.run(*words)
    assert result.exit_code == 130
    assert result.stderr == "\nInterrupted: 16 images are in out\n"
    assert files(world) == [f"seed{seed:04d}.png" for seed in range(16)]


def test_a_terminal_that_was_closed_gets_no_message(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(message: str, err: bool = False) -> None:
        raise OSError(errno.EIO, "Input/output error")

    press_in(monkeypatch, Progress, "advance", lambda *_: True, signal.SIGHUP)
    monkeypatch.setattr(click, "echo", closed)
    result = world.run("generate", "--generator", "g.safetensors", "--seeds", "0-40", "-o", "out")
    assert (result.exit_code, len(world.left())) == (130, 16)


def test_the_handlers_are_those_of_before(world: Any) -> None:
    before = [signal.getsignal(number) for number in STOP]
    assert world.run("generate", "--generator", "none", "-o", "out").exit_code == 2
    assert [signal.getsignal(number) for number in STOP] == before
