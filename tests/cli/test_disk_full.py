"""A disk that fills up while a command writes: one message, and no incomplete file."""

from __future__ import annotations

import errno
import os
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
    def save_half(content: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", save_half)
    result = world.run(*TRAIN, "-o", "out")
    assert result.exit_code == 2
    assert "Error: cannot write out/checkpoint.pt: [enforce fail at " in result.stderr
    names = [name for name in world.left() if not name.startswith("events.out.tfevents.")]
    assert names == ["settings.json"]
