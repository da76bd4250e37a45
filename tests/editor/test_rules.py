"""Rules of the bundled generator: learned, kept and repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from regen import api
from regen.editor.document import Document
from regen.editor.engine import Engine
from tests.helpers.editor_paintings import PAINTING, SHORT


def test_a_rule_is_what_the_command_line_learns(
    engine: Engine, learned: tuple[Document, list[Any]], tmp_path: Path
) -> None:
    folder = engine.kept.rule("k")
    settings = api.RewriteSettings().changed(SHORT)
    api.rewrite(folder / "edits.json", settings=settings).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (folder / "rewrite.safetensors").read_bytes()
    written = json.loads((folder / "settings.json").read_text())
    assert written["fit"]["steps"] == 3
    assert "data:image/png;base64," in (folder / "edits.json").read_text()
    assert len(json.loads((folder / "losses.json").read_text())["total"]) == 3


def test_it_is_watched(engine: Engine, learned: tuple[Document, list[Any]]) -> None:
    steps = [one for one in learned[1] if isinstance(one, tuple)]
    images = [one for one in learned[1] if isinstance(one, list)]
    assert [step for step, *_ in steps] == [0, 1, 2] and all(count == 3 for _, count, _ in steps)
    assert len(images) == 3 and images[-1] == engine.views.after(PAINTING, (("k", 1.0),))
