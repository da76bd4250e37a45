"""Signals to `torchrun`: what a scheduler stops keeps a checkpoint of all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regen.files import tensor_file
from regen.generators.stylegan2.files import save_stylegan2
from tests.helpers.processes import HANGING_SECONDS
from tests.helpers.world import tiny_generator

ROOT = Path(__file__).parents[2]
WORDS = ["train-projector", "--generator", "g.safetensors", "--batch", "4", "-o"]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a training in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, "2", "-m", "regen", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=HANGING_SECONDS)
    return output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_torchrun_that_is_asked_to_stop_leaves_a_checkpoint(
    tmp_path: Path, number: signal.Signals
) -> None:
    save_stylegan2(tmp_path / "g.safetensors", tiny_generator(1), card={})
    process = start(tmp_path, *WORDS, "out", "--kimg", "100000")
    end = time.monotonic() + HANGING_SECONDS
    while not (tmp_path / "out" / "settings.json").exists():  # the first step is done
        assert process.poll() is None and time.monotonic() < end, finish(process)
        time.sleep(0.05)
    process.send_signal(number)
    output = finish(process)
    assert process.returncode != 0
    assert "Interrupted: " in output and " steps are in out/checkpoint.pt; --resume" in output
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name for name in left if not name.startswith("events.")] == [
        "checkpoint.pt",
        "settings.json",
    ]


def test_a_second_torchrun_in_the_folder_is_refused(tmp_path: Path) -> None:
    from regen.files.folder_lock import folder_lock

    save_stylegan2(tmp_path / "g.safetensors", tiny_generator(1), card={})
    (tmp_path / "out").mkdir()
    with folder_lock(tmp_path / "out"):
        process = start(tmp_path, *WORDS, "out", "--kimg", "0.008")
        assert "out is being filled by another run: process " in finish(process)
        assert process.returncode != 0
    process = start(tmp_path, *WORDS, "out", "--kimg", "0.008")
    output = finish(process)
    assert process.returncode == 0, output
    header = tensor_file.read_header(tmp_path / "out" / "projector.safetensors")
    assert header["format"] == "projector"
