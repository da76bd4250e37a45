"""How a command ends: with one message, or as a bug."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from regen.cli import main


def test_python_m_regen() -> None:
    words = [sys.executable, "-m", "regen", "generate", "--seeds", "x", "-o", "out"]
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 2
    assert (
        result.stderr.startswith("Usage: regen generate") and "'x' is not a list" in result.stderr
    )


@pytest.mark.parametrize("streams", ["2>&-", "<&- >&- 2>&-"])
def test_without_standard_streams_a_command_does_what_it_should(world: Any, streams: str) -> None:
    """No file takes the place of a stream, to which libraries would write."""
    command = f'"{sys.executable}" -c "$CODE" generate --seeds 3 -o out'
    code = (
        "import os\nfrom regen.cli import main\n"
        "try: main(prog_name='regen')\n"
        "finally: assert all(os.fstat(n) for n in range(3)); os.write(2, b'written by a library')"
    )
    command = f"{command} --generator g.safetensors {streams}"
    done = subprocess.run(["sh", "-c", command], env={**os.environ, "CODE": code})
    assert done.returncode == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["grid.png", "seed0003.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_message_that_nobody_can_take_changes_no_exit_code(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "regen", "info", str(tmp_path / "none")]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(words, stderr=full).returncode == 2


def test_the_bare_command_prints_its_help() -> None:
    result = CliRunner().invoke(main, [])
    assert result.output == CliRunner().invoke(main, ["--help"]).output
    assert result.output.startswith("Usage: ") and "\n  generate  " in result.output


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("regen.doctor.diagnose", break_down)
    with pytest.raises(ValueError, match="a bug"):
        CliRunner().invoke(main, ["doctor"], catch_exceptions=False)


def _asks_for_too_much() -> None:
    torch.empty(10**15)


def _finds_the_gpu_full() -> None:
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB"
    )


def _finds_the_other_gpu_full() -> None:
    raise RuntimeError("MPS backend out of memory (MPS allocated: 9.01 GB, max allowed: 9.07 GB).")


def _finds_no_room_for_an_array() -> None:
    np.empty(10**17)


@pytest.mark.parametrize(
    ("break_down", "message"),
    [
        (
            _asks_for_too_much,
            "of this machine, which was asked for 4000000000000000 bytes more, is full",
        ),
        (_finds_the_gpu_full, "of the GPU, which was asked for 20.00 GiB more, is full"),
        (_finds_the_other_gpu_full, "of the GPU is full"),
        (_finds_no_room_for_an_array, "of this machine, which was asked for 711 PiB more, is full"),
    ],
)
def test_full_memory_is_no_bug(
    break_down: Callable[[], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regen.doctor.diagnose", break_down)
    result = CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: the memory {message}; ask for less at once")
    assert result.stderr.count("\n") == 1


def test_other_errors_of_torch_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regen.doctor.diagnose", lambda: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError, match="size"):
        CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
