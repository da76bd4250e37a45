"""A session without a server, and the bundled generator as a session opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regen import api
from regen.editor import rules
from regen.editor.document import Document, Rule
from regen.editor.engine import Engine
from regen.editor.kept import Kept
from regen.editor.session import Session
from tests.helpers.editor_paintings import PAINTING, SHORT
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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The bundled portraits."""
    kept = Kept(tmp_path_factory.mktemp("session"))
    return Engine(api.open_generator("portraits"), kept)


@pytest.fixture(scope="session")
def learned(engine: Engine) -> tuple[Document, list[Any]]:
    """A rule "k" of three steps, and what was shown while it was learned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "DRAFT", SHORT)
        watched: list[Any] = []
        engine.rules.learn(
            PAINTING,
            "draft",
            "k",
            on_step=lambda step, steps, loss: watched.append((step, steps, loss)),
            on_partial=lambda rewrite: watched.append(engine.views.after(PAINTING, (), rewrite)),
            should_stop=lambda: False,
        )
    return Document(PAINTING, (Rule("k", "Cat eyes", PAINTING, 0.5),)), watched
