"""A session without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen.editor.kept import Kept
from regen.editor.session import Session
from tests.helpers.editor_session import AtOnce, Pages, PretendEngine


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """An empty session folder."""
    return Kept(tmp_path / "session")


@pytest.fixture
def pretend() -> PretendEngine:
    """What a session asks."""
    return PretendEngine()


@pytest.fixture
def pages(kept: Kept, pretend: PretendEngine) -> Pages:
    """A session whose generator is open."""
    worker = AtOnce()
    session = Session(kept, worker, "portraits", lambda: pretend, lambda function: function())
    made = Pages(session, worker)
    worker.run()
    return made
