"""Importing torch without its garbage being looked for; each in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import gc, json, sys
from regen.cli.torch_import import import_torch
{before}
import_torch()
print(json.dumps([gc.isenabled(), gc.get_freeze_count() > 100_000, "torch" in sys.modules]))
"""


def state_after(before: str) -> list[bool]:
    """Whether garbage is collected, much is exempt from it, and torch is there."""
    command = [sys.executable, "-c", PROGRAM.format(before=before)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    state: list[bool] = json.loads(done.stdout)
    return state


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        pytest.param("", [True, True, True], id="fresh"),
        pytest.param("gc.disable()", [False, True, True], id="a caller that collects nothing"),
        pytest.param("import torch", [True, False, True], id="a program that has torch already"),
    ],
)
def test_what_torch_is_made_of_is_exempt_and_the_rest_collected_as_before(
    before: str, expected: list[bool]
) -> None:
    assert state_after(before) == expected


@pytest.mark.parametrize(
    "words",
    [
        "info portraits",
        "doctor",
        "convert portraits g.pkl",
        "edit empty.safetensors --no-browser",
        "edit --edits none.json --no-browser",
    ],
)
def test_commands_that_compute_nothing_import_it_so_too(words: str, tmp_path: Path) -> None:
    (tmp_path / "empty.safetensors").touch()
    code = (
        "import gc, sys\nfrom regen.cli import main\n"
        f"main({words.split()}, standalone_mode=False)\n"
        "print('torch' in sys.modules, gc.get_freeze_count() > 100_000)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "True True"


def test_an_import_that_fails_leaves_the_collector_as_it_was() -> None:
    broken = "sys.meta_path.clear(); sys.path_importer_cache.clear(); sys.path.clear()"
    code = f"{broken}\ntry: import_torch()\nexcept Exception: print(gc.isenabled())"
    command = [sys.executable, "-c", PROGRAM.split("{before}")[0] + code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_torch_that_cannot_be_loaded_is_one_message(tmp_path: Path) -> None:
    library = "libcudart.so.13: cannot open shared object file"
    (tmp_path / "torch.py").write_text(f"raise ImportError({library!r})\n")
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom regen.cli import main\n"
    command = [sys.executable, "-c", f"{code}main(['doctor'])"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: torch cannot be imported: {library}; install it again")
    assert done.stderr.count("\n") == 1
