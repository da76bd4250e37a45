"""What is computed for a session, with the bundled generator."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regen import api
from regen.editor import engine as module
from regen.editor.document import Document, Rule
from regen.editor.encoding import picture_uri
from regen.editor.engine import Engine
from regen.editor.kept import Kept
from regen.editor.painting import Painting, Picture, Target
from regen.editor.sampling import GridOptions
from regen.editor.strokes import Stroke
from regen.errors import RegenError
from tests.editor.test_encoding import decoded

EYE = Stroke("ellipse", ellipse=(172, 113, 40, 25))
EYES = (
    Stroke("ellipse", ellipse=(48.0, 61.0, 10, 7)),
    Stroke("ellipse", ellipse=(83.0, 61.5, 10, 7)),
)
PAINTING = Painting(
    "p",
    Picture("skimage:chelsea", "cat", 300, 451),
    (EYE,),
    (Target("a", {"seed": 4}, "seed 4", EYES[:1]), Target("b", {"seed": 0}, "seed 0", EYES)),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine("portraits", Kept(tmp_path_factory.mktemp("session")), device="cpu")


def test_what_a_page_says_of_the_generator(engine: Engine) -> None:
    described = engine.described()
    assert (described["name"], described["height"], described["family"]) == (
        "portraits",
        128,
        "stylegan2",
    )
    assert "eyes" in described["regions"]
    assert [one["label"] for one in engine.unseen(PAINTING)][:2] == ["seed 10000", "seed 10001"]


def test_samples_come_as_they_are_made_and_stop_when_nobody_waits(engine: Engine) -> None:
    shown: list[list[Any]] = []
    engine.grid(5, GridOptions(0.7), shown.append, lambda: len(shown) < 2)
    assert [len(cells) for cells in shown] == [3, 10]
    cell = shown[0][0]
    assert cell["label"] == "seed 5" and cell["sample"] == {"seed": 5, "truncation": 0.7}
    image = api.generate(engine.generator, [5], truncation=0.7)[0]
    assert (
        cell["image"]
        == picture_uri(image)
        == engine.target(Target("t", cell["sample"], ""))["image"]
    )
    assert engine.check_sample({"seed": 5}) == "seed 5"
    with pytest.raises(RegenError):
        engine.check_sample({"seed": -1})


def test_a_preview_names_targets_in_the_order_of_the_page(engine: Engine) -> None:
    seen = engine.preview(PAINTING)
    assert [one["target"] for one in seen["targets"]] == ["a", "b"]
    assert len(seen["maps"]) == 8 and seen["missing"] == ""
    assert decoded(seen["targets"][0]["composite"]).shape == (128, 128, 3)
    assert all(isinstance(line, str) for line in seen["warnings"])
    assert engine.preview(replace(PAINTING, targets=()))["missing"].startswith("Choose a sample")


def test_a_rule_that_spills_is_warned_of(engine: Engine) -> None:
    hair = replace(PAINTING.targets[0], strokes=(Stroke("ellipse", ellipse=(60.0, 22.0, 9, 6)),))
    (warning, *_) = engine.preview(replace(PAINTING, targets=(hair,)))["warnings"]
    assert "away from" in warning or "outside" in warning or "elsewhere" in warning


def test_an_image_is_brought_once_without_metadata(engine: Engine) -> None:
    file = io.BytesIO()
    image = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 10, 10))
    image.save(file, "PNG")
    picture, shown = engine.brought(file.getvalue(), "cat.png")
    assert picture.size == (10, 20) and picture.alpha and picture.name == "cat.png"
    assert str(engine.kept.folder) in picture.source and engine.shown(picture) == shown
    with pytest.raises(RegenError, match="picture: got dog, expected cat"):
        engine.bundled("dog")


def test_a_click_suggests_named_regions_first(engine: Engine) -> None:
    target = PAINTING.targets[0]
    names = [one["name"] for one in engine.suggest(target, 48, 61)]
    assert names[0] == "eyes" and names[-1] == "what looks alike"
    mask = decoded(engine.suggest(target, 48, 61)[0]["mask"])
    assert mask[61, 48] > 128 and mask[61, 83] > 128 and mask[100, 64] == 0
    assert [one["name"] for one in engine.suggest(target, 2, 2)] == ["what looks alike"]
    assert engine.suggest(target, 2, 2, "eyes")[0]["name"] == "eyes"
    truncated = replace(target, sample={"seed": 4, "truncation": 0.5})
    assert [one["name"] for one in engine.suggest(truncated, 48, 61)] == ["what looks alike"]


def test_a_region_is_found_in_the_other_targets(engine: Engine) -> None:
    other = replace(PAINTING.targets[1], strokes=())
    first = replace(PAINTING.targets[0], strokes=EYES)
    painting = replace(PAINTING, targets=(first, other))
    (found,) = engine.carried(painting, first).items()
    mask = decoded(found[1]) / 255
    eyes = engine.generator.oracle.region("eyes", [engine.generator.sample({"seed": 0})])[
        0, 0
    ].numpy()
    assert found[0] == "b" and (mask * eyes).sum() / eyes.sum() > 0.5
    with pytest.raises(RegenError, match="paint on this target first"):
        engine.carried(painting, other)
    with pytest.raises(RegenError, match="there is no other target"):
        engine.carried(replace(painting, targets=(first,)), first)


@pytest.fixture(scope="module")
def learned(engine: Engine) -> tuple[Document, list[Any]]:
    """A rule of three steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "DRAFT", SHORT)
        watched: list[Any] = []
        engine.learn(
            PAINTING,
            "draft",
            "k",
            on_step=lambda step, steps, loss: watched.append((step, steps, loss)),
            on_partial=lambda rewrite: watched.append(engine.after(PAINTING, (), rewrite)),
            should_stop=lambda: False,
        )
    return Document(PAINTING, (Rule("k", "Cat eyes", PAINTING, 0.5),)), watched


SHORT: dict[str, object] = {"fit.steps": 3, "fit.preserve": 2, "fit.report_every": 1}


def test_a_rule_is_what_the_command_line_learns(
    engine: Engine, learned: tuple[Document, list[Any]], tmp_path: Any
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
    assert len(images) == 3 and images[-1] == engine.after(PAINTING, (("k", 1.0),))


def test_strength_of_rules(engine: Engine, learned: tuple[Document, list[Any]]) -> None:
    before = [one["image"] for one in engine.unseen(PAINTING)]
    assert engine.after(PAINTING, ()) == engine.after(PAINTING, (("k", 0.0),)) == before
    assert engine.after(PAINTING, (("k", 1.0),)) != engine.after(PAINTING, (("k", 0.5),)) != before
    twice = engine.after(PAINTING, (("k", 0.5), ("k", 0.5)))
    assert (
        np.abs(
            decoded(twice[0]).astype(int) - decoded(engine.after(PAINTING, (("k", 1.0),))[0])
        ).max()
        <= 1
    )
    images = engine.targets_after(PAINTING, (("k", 0.0),))
    assert set(images) == {"a", "b"}
    alone, together = (
        decoded(uri).astype(int)
        for uri in (engine.target(Target("t", {"seed": 4}, ""))["image"], images["a"])
    )
    assert np.abs(alone - together).max() <= 1  # of a batch, sums are made in another order
    assert engine.targets_after(Painting("q"), ()) == {}
