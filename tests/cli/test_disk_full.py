"""A disk that fills up while a command writes: one message, and no incomplete file."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.files import tensor_file

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
PROJECT = ("project", "cat.png", "--generator", "g.safetensors", "--projector", "p.safetensors")
REWRITE = ("rewrite", "--edits", "edits.json", "--steps", "2", "--preserve", "2", "--seeds", "2")
GENERATE = ("generate", "--generator", "g.safetensors", "--seeds", "0-2")
TRAIN = ("train-projector", "--generator", "g.safetensors", "--kimg", "0.008", "--batch", "4")


class FullAfter:
    """A file on a disk that has so many bytes left."""

    def __init__(self, left: int, file: Any) -> None:
        self.left, self.file = left, file

    def __enter__(self) -> FullAfter:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: Any) -> int:
        if len(data) > self.left:
            raise FULL
        self.left -= len(data)
        return int(self.file.write(data))


def fill_disk(monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """From now on only half of each file with this suffix fits on the disk."""
    write = Path.write_bytes

    def write_half(path: Path, data: bytes) -> int:
        if path.suffix != suffix:
            return write(path, data)
        write(path, data[: len(data) // 2])
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", write_half)


@pytest.mark.parametrize(
    ("words", "suffix", "failed", "left"),
    [
        (REWRITE, ".json", "settings.json", []),
        (REWRITE, ".safetensors", "rewrite.safetensors", ["edits.json", "settings.json"]),
        (REWRITE, ".html", "report.html", None),
        (PROJECT, ".safetensors", "cat.features.safetensors", []),
        (PROJECT, ".png", "cat.png", ["cat.features.safetensors"]),
        (GENERATE, ".png", "seed0000.png", []),
    ],
)
def test_a_full_disk(
    world: Any,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    suffix: str,
    failed: str,
    left: list[str] | None,
) -> None:
    fill_disk(monkeypatch, suffix)
    result = world.run(*words, "-o", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == (
        f"Error: cannot write out/{failed}: No space left on device; "
        "free some space, or choose a folder on another disk"
    )
    names = [name for name in world.left() if not name.startswith("events.out.tfevents.")]
    assert failed not in names and not any(name.startswith(".") for name in names)
    assert left is None or names == left


def test_what_was_learned_survives_a_disk_too_full_for_the_report(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch, ".html")
    assert world.run(*REWRITE, "-o", "out").exit_code == 2
    assert (
        tensor_file.load(world.folder / "out" / "rewrite.safetensors").header["format"] == "rewrite"
    )


def test_a_disk_that_fills_up_in_training(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def save_half(content: Any, file: Any) -> None:
        file.write(b"half")
        with suppress(OSError):
            file.write(b"more")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    opened = Path.open

    def open_half(path: Path, *args: Any, **kwargs: Any) -> Any:
        file = opened(path, *args, **kwargs)
        return FullAfter(4, file) if path.suffix == ".pt" else file

    monkeypatch.setattr(torch, "save", save_half)
    monkeypatch.setattr(Path, "open", open_half)
    result = world.run(*TRAIN, "-o", "out")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: cannot write out/checkpoint.pt: No space left on device; "
        "free some space, or choose a folder on another disk\n"
    )
    names = [name for name in world.left() if not name.startswith("events.out.tfevents.")]
    assert names == ["settings.json"]


@pytest.mark.parametrize("kilobytes", [16, 48, 300])
def test_a_training_on_a_disk_that_is_really_too_small(world: Any, kilobytes: int) -> None:
    """In a mount namespace of its own, where the system lets a user have one."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("no mount namespaces here")
    (world.folder / "out").mkdir()
    words = [sys.executable, "-m", "regen", *TRAIN, "-o", "out"]
    script = f"mount -t tmpfs -o size={kilobytes}k small out && exec {shlex.join(words)}"
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 2, ran.stderr
    *_, last = ran.stderr.splitlines()
    assert last.startswith("Error: cannot write ") and "No space left on device" in last
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_standard_output(world: Any) -> None:
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "regen", "info", "g.safetensors"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ran.returncode == 2
    assert ran.stderr == "Error: cannot write the output: No space left on device\n"
