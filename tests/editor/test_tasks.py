"""Paintings as tasks of the bundled generator; holes and folders of images are in test_sampling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regen.editor.engine import Engine
from regen.editor.painting import Painting
from tests.helpers.editor_paintings import EYES, PAINTING


def test_a_painting_is_a_task_of_the_generator(engine: Engine) -> None:
    content = engine.tasks.edits_json(PAINTING)
    assert content["generator"] == "portraits" and "samples" not in content
    task = engine.tasks.task(PAINTING)
    assert [example.target_label for example in task.examples] == ["seed 4", "seed 0"]
    assert engine.tasks.clipped(PAINTING) is PAINTING  # every pixel of a portrait can change


def test_the_edits_file_that_is_kept_holds_its_images(engine: Engine) -> None:
    embedded = engine.tasks.embedded(PAINTING)
    assert all(edit["exemplar"].startswith("data:image/") for edit in embedded["edits"])
    plain = engine.tasks.edits_json(PAINTING)
    assert [edit["targets"] for edit in embedded["edits"]] == [
        edit["targets"] for edit in plain["edits"]
    ]


@pytest.mark.parametrize(
    ("painting", "missing"),
    [
        (PAINTING, ""),
        (Painting("q"), "Choose the image that holds the pattern"),
        (replace(PAINTING, strokes=()), "Paint the pattern on the exemplar"),
        (
            PAINTING.with_strokes("a", ()).with_strokes("b", EYES),
            "Paint where the pattern goes on seed 4",
        ),
    ],
)
def test_what_is_missing(engine: Engine, painting: Painting, missing: str) -> None:
    assert engine.tasks.missing(painting) == missing
