"""What every test may rely on: a fixed seed, double precision, no network, and no clock.

The speed of the machine must not decide a test. Progress, which is shown once a job has lasted for
a while, is off; hypothesis has no deadline; subprocesses are limited only against hanging forever.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.helpers.processes import HANGING_SECONDS
from tests.helpers.signals import handlers_of_a_terminal

if TYPE_CHECKING:
    from tests.helpers.world import World

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture(autouse=True)
def seed() -> int:
    """Seed torch's global generator before every test; tests needing another seed set it."""
    torch.manual_seed(0)
    return 0


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show no progress, here and in subprocesses, however long a job takes."""
    monkeypatch.setenv("REGEN_PROGRESS", "off")


@pytest.fixture
def hours_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an hour pass between any two looks at the clock: every limit of time is reached."""
    hours = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 3600.0 * next(hours))


@pytest.fixture
def float64() -> Iterator[None]:
    """Make float64 the default dtype, as gradient checks need it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection, as a machine without a network does."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def empty_torch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None) -> Path:
    """A torch cache without any weights, and no network: no backbone but the package's."""
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.helpers.world import fill

    folder = tmp_path_factory.mktemp("world")
    fill(folder)
    return folder


@pytest.fixture
def world(
    _world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_torch_home: Path
) -> World:
    """A fresh world for commands, with an empty torch cache and without a network."""
    from tests.helpers.world import World

    folder = tmp_path / "work"
    shutil.copytree(_world, folder)
    monkeypatch.chdir(folder)
    made = World(folder)
    made.edits()
    return made


@pytest.fixture
def usual_handlers() -> Iterator[None]:
    """The handlers of signals that a program started in a terminal has."""
    with handlers_of_a_terminal():
        yield


@pytest.fixture
def in_two_processes(tmp_path: Path) -> Callable[[str], None]:
    """Runs a program under torchrun, in two processes, with the test's folder as its argument."""

    def run(program: str) -> None:
        path = tmp_path / "program.py"
        path.write_text(program)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", "2", str(path), str(tmp_path)]
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root}
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=HANGING_SECONDS
        )
        assert ran.returncode == 0, ran.stderr

    return run
