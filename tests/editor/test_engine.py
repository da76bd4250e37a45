"""What is computed for a session, with the bundled generator."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen.editor.engine import Engine
from regen.editor.kept import Kept
from regen.errors import RegenError


def test_what_a_page_says_of_the_generator(engine: Engine) -> None:
    described = engine.described()
    assert (described["name"], described["height"], described["family"]) == (
        "portraits",
        128,
        "stylegan2",
    )
    assert "eyes" in described["regions"]
    assert (".safetensors", "regen") in [tuple(one) for one in described["formats"]]


def test_a_generator_that_does_not_exist_is_refused(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(RegenError, match="none"):
        Engine(str(tmp_path / "none.safetensors"), kept, device="cpu")
