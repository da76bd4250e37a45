"""Previews of a painting, with the bundled generator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from regen.editor.engine import Engine
from regen.editor.painting import Picture
from regen.editor.strokes import Stroke
from tests.editor.test_encoding import decoded
from tests.helpers.editor_paintings import PAINTING


def test_a_preview_names_targets_in_the_order_of_the_page(engine: Engine) -> None:
    seen = engine.previews.preview(PAINTING)
    assert [one["target"] for one in seen["targets"]] == ["a", "b"]
    assert len(seen["maps"]) == 8 and seen["missing"] == ""
    assert decoded(seen["targets"][0]["composite"]).shape == (128, 128, 3)
    assert all(isinstance(line, str) for line in seen["warnings"])
    without = engine.previews.preview(replace(PAINTING, targets=()))
    assert without["missing"].startswith("Choose a sample")


def test_an_exemplar_has_the_name_that_the_page_shows(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), "green").save("3f2a.png")
    for source in ("3f2a.png", str(tmp_path / "3f2a.png")):
        picture = Picture(source, "my eye.png", 8, 8)
        stroke = Stroke("ellipse", ellipse=(4.0, 4.0, 2, 2))
        seen = engine.previews.preview(replace(PAINTING, picture=picture, strokes=(stroke,)))
        (enlarged,) = (line for line in seen["warnings"] if "is enlarged" in line)
        assert enlarged.startswith("the pattern in my eye.png is enlarged")


def test_a_rule_that_spills_is_warned_of(engine: Engine) -> None:
    hair = replace(PAINTING.targets[0], strokes=(Stroke("ellipse", ellipse=(60.0, 22.0, 9, 6)),))
    (warning, *_) = engine.previews.preview(replace(PAINTING, targets=(hair,)))["warnings"]
    assert "away from" in warning or "outside" in warning or "elsewhere" in warning


def test_where_the_page_has_no_control_a_warning_says_what_to_do(engine: Engine) -> None:
    dot = replace(PAINTING.targets[0], strokes=(Stroke("ellipse", ellipse=(60.0, 62.0, 3, 3)),))
    warnings = engine.previews.preview(replace(PAINTING, targets=(dot,)))["warnings"]
    (tiny,) = (line for line in warnings if "is tiny" in line)
    assert tiny.endswith(
        "or choose a higher value layer (--value-layer). The page has no control for "
        "--value-layer: export the edits file of a draft, and run `regen rewrite --edits FILE "
        "--value-layer N --preview`"
    )
