"""Samples as pages see them, of the bundled generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regen import api
from regen.editor.document import Document
from regen.editor.encoding import picture_uri
from regen.editor.engine import Engine
from regen.editor.painting import Painting, Target
from regen.editor.sampling import GridOptions
from regen.errors import RegenError
from tests.editor.test_encoding import decoded
from tests.helpers.editor_paintings import PAINTING


def test_samples_come_as_they_are_made_and_stop_when_nobody_waits(engine: Engine) -> None:
    shown: list[list[Any]] = []
    engine.views.grid(5, GridOptions(0.7), shown.append, lambda: len(shown) < 2)
    assert [len(cells) for cells in shown] == [3, 10]
    cell = shown[0][0]
    assert cell["label"] == "seed 5" and cell["sample"] == {"seed": 5, "truncation": 0.7}
    image = api.generate(engine.generator, [5], truncation=0.7)[0]
    assert (
        cell["image"]
        == picture_uri(image)
        == engine.views.target(Target("t", cell["sample"], ""))["image"]
    )
    assert engine.sampling.label({"seed": 5}) == "seed 5"
    with pytest.raises(RegenError):
        engine.sampling.label({"seed": -1})


def test_unseen_samples_have_reserved_numbers(engine: Engine) -> None:
    labels = [one["label"] for one in engine.views.unseen(PAINTING)]
    assert labels[:2] == ["seed 10000", "seed 10001"] and len(labels) == 8


def test_strength_of_rules(engine: Engine, learned: tuple[Document, list[Any]]) -> None:
    views = engine.views
    before = [one["image"] for one in views.unseen(PAINTING)]
    assert views.after(PAINTING, ()) == views.after(PAINTING, (("k", 0.0),)) == before
    assert views.after(PAINTING, (("k", 1.0),)) != views.after(PAINTING, (("k", 0.5),)) != before
    twice = views.after(PAINTING, (("k", 0.5), ("k", 0.5)))
    assert (
        np.abs(
            decoded(twice[0]).astype(int) - decoded(views.after(PAINTING, (("k", 1.0),))[0])
        ).max()
        <= 1
    )
    images = views.targets_after(PAINTING, (("k", 0.0),))
    assert set(images) == {"a", "b"}
    alone, together = (
        decoded(uri).astype(int)
        for uri in (views.target(Target("t", {"seed": 4}, ""))["image"], images["a"])
    )
    assert np.abs(alone - together).max() <= 1  # of a batch, sums are made in another order
    assert views.targets_after(Painting("q"), ()) == {}
