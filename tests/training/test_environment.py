from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from regen.errors import TrainingError
from regen.training.environment import is_first, local_rank, process_count, rank


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that torchrun has not written to."""
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_without_torchrun_there_is_one_process() -> None:
    assert (process_count(), rank(), local_rank(), is_first()) == (1, 0, None, True)


def test_under_torchrun_each_process_has_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert (process_count(), rank(), local_rank(), is_first()) == (4, 3, 1, False)


@pytest.mark.parametrize("text", ["", "two", "-1", "1.5", "²"])
def test_what_is_not_a_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", text)
    with pytest.raises(TrainingError) as raised:
        process_count()
    assert str(raised.value) == (
        f"environment variable WORLD_SIZE: got {text!r}, expected a number, as torchrun sets it; "
        "unset WORLD_SIZE, or start by torchrun"
    )


def test_torch_is_not_imported_to_ask() -> None:
    program = "import sys, regen.training.environment; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root).returncode == 0


def test_nothing_else_reads_the_environment_of_torchrun() -> None:
    root = Path(__file__).parents[2]
    names = ('"RANK"', '"LOCAL_RANK"', '"WORLD_SIZE"', "'RANK'", "'LOCAL_RANK'", "'WORLD_SIZE'")
    readers = [
        str(path.relative_to(root))
        for folder in ("regen", "experiments")
        for path in sorted((root / folder).rglob("*.py"))
        if any(name in path.read_text() for name in names)
    ]
    assert readers == ["regen/training/environment.py"]
