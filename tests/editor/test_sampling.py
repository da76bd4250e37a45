"""What samples have beside a seed: holes, styles, images of one's own; and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from regen import api
from regen.editor.document import Document, Rule
from regen.editor.encoding import picture_uri
from regen.editor.engine import Engine
from regen.editor.export import commands
from regen.editor.kept import Kept
from regen.editor.painted import rasterized
from regen.editor.painting import Json, Painting, Picture, Target
from regen.editor.rules import Rules
from regen.editor.sampling import GridOptions
from regen.editor.stored import painting_of
from regen.editor.strokes import Stroke
from regen.errors import RegenError
from regen.images import save_image
from tests.editor.test_encoding import decoded
from tests.helpers import munit, rfr

pytestmark = pytest.mark.filterwarnings("ignore::regen.rewriting.resolve.NoProjectorWarning")

ROOT = Path(__file__).parents[2]
SHORT: dict[str, object] = {
    "fit.steps": 2,
    "fit.preserve": 3,
    "fit.report_every": 1,
    "measured_seeds": 2,
}
NOSE = Stroke("ellipse", ellipse=(266.0, 238.0, 26, 18))
CAT = Picture("skimage:chelsea", "cat", 300, 451)
MIDDLE = Stroke("ellipse", ellipse=(16.0, 16.0, 5, 4))
HIDDEN = {"portraits": "nose", "grow": 2}


def native(generator: Any, path: Path) -> str:
    """A small random generator in a file."""
    from regen.generators.families import family

    family(generator.family).save(path, generator, card={})
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images, a little wider than high."""
    (tmp_path / "images").mkdir()
    random = torch.Generator().manual_seed(0)
    for number in range(12):
        image = torch.rand(3, 40, 50, generator=random) * 2 - 1
        save_image(tmp_path / "images" / f"{number:02d}.png", image)
    return tmp_path / "images"


def opened(name: str, tmp_path: Path, images: Path | None = None) -> Engine:
    return Engine(api.open_generator(name), Kept(tmp_path / "session"), images)


@pytest.fixture(scope="module")
def inpaint(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The bundled generator that fills holes."""
    return opened("portraits-inpaint", tmp_path_factory.mktemp("inpaint"))


def in_middle(engine: Engine) -> Stroke:
    height, width = engine.sampling.size
    return Stroke("ellipse", ellipse=(width / 2, height * 0.6, width / 14, height / 16))


def nose_of(engine: Engine, **changes: Any) -> Painting:
    target = Target("a", {"seed": 3, "hole": HIDDEN}, "seed 3", (in_middle(engine),))
    return Painting("p", CAT, (NOSE,), (replace(target, **changes),))


def learned_twice(engine: Engine, painting: Painting, tmp_path: Path) -> Json:
    """Learn, and again from what was exported by the command; both are equal, byte for byte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rules, "_draft", SHORT)
        none: dict[str, Any] = {"on_step": lambda *a: None, "on_partial": lambda r: None}
        engine.rules.learn(painting, "draft", "k", **none, should_stop=lambda: False)
    document = Document(painting, (Rule("k", "Rule", painting),))
    words = commands(engine, document).splitlines()[0].split()
    for name in ("edits.json", "settings.json"):
        target = tmp_path / "rule" / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((engine.kept.rule("k") / name).read_bytes())
    ran = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    again = tmp_path / "rule" / "again" / "rewrite.safetensors"
    assert again.read_bytes() == engine.kept.rewrite("k").read_bytes()
    edits: Json = json.loads((tmp_path / "rule" / "edits.json").read_text())
    return edits


def test_a_page_is_told_what_samples_have(inpaint: Engine) -> None:
    described = inpaint.described()
    assert described["holes"] and not described["styles"] and not described["truncation"]
    assert described["count"] is None and "nose" in described["regions"]


def test_the_grid_shows_a_named_hole(inpaint: Engine) -> None:
    shown: list[Any] = []
    inpaint.views.grid(3, GridOptions(hole=HIDDEN), shown.append, lambda: not shown)
    cell = shown[0][0]
    assert cell["sample"] == {"seed": 3, "hole": HIDDEN} and cell["label"] == "seed 3"
    images = inpaint.views.target(Target("t", cell["sample"], ""))
    assert np.abs(decoded(images["image"]).astype(int) - decoded(cell["image"])).max() <= 1


def test_what_is_known_is_veiled_and_the_input_has_its_hole(inpaint: Engine) -> None:
    images = inpaint.views.target(nose_of(inpaint).targets[0])
    known = decoded(images["known"])[..., 1]
    given, whole, image = (
        decoded(images[name]).astype(int) for name in ("given", "whole", "image")
    )
    assert set(np.unique(known)) == {0, 255} and known[38, 32] == 0 and known[0, 0] == 255
    assert (given[known == 0] == given[38, 32]).all() and given[38, 32].tolist() == [128] * 3
    corner = np.zeros_like(known, bool)
    corner[0, 0] = True
    assert np.abs(whole - image)[(known == 255) & ~corner].max() <= 1
    assert np.abs(whole - given)[known == 0].max() > 10


def test_what_is_painted_outside_of_the_hole_does_not_count(inpaint: Engine) -> None:
    wide = Stroke("ellipse", ellipse=(32.0, 38.0, 25, 6))
    painting = nose_of(inpaint, strokes=(wide,))
    inside = rasterized(inpaint.tasks.clipped(painting).targets[0].strokes, inpaint.sampling.size)
    known = decoded(inpaint.views.target(painting.targets[0])["known"])[..., 1]
    assert inside.any() and not inside[known == 255].any()
    assert (
        inpaint.tasks.missing(painting) == ""
        and len(inpaint.previews.preview(painting)["maps"]) == 8
    )
    away = nose_of(inpaint, strokes=(Stroke("ellipse", ellipse=(10.0, 10.0, 4, 4)),))
    assert inpaint.tasks.missing(away).endswith("goes on seed 3, inside of its hole")


def test_a_hole_that_is_painted_takes_the_place_of_the_named_one(inpaint: Engine) -> None:
    drawn = Stroke("ellipse", ellipse=(32.0, 40.0, 10, 9))
    painting = nose_of(inpaint, hole=(drawn,))
    (target,) = inpaint.tasks.edits_json(painting)["edits"][0]["targets"]
    assert target["hole"] == {"ellipses": [[32.0, 40.0, 10, 9]]}
    assert painting_of(json.loads(json.dumps(painting.to_json()))) == painting
    assert inpaint.previews.preview(painting)["missing"] == ""


def test_several_margins_are_one_target(inpaint: Engine) -> None:
    painting = nose_of(inpaint, sample={"seed": 3, "hole": {"portraits": "nose", "grow": [1, 3]}})
    seen = inpaint.previews.preview(painting)
    assert [one["target"] for one in seen["targets"]] == ["a"] and seen["missing"] == ""
    assert seen["targets"][0]["decoded"] == ""  # no projector says what it would be


def test_unseen_samples_have_the_hole_of_the_first_target(inpaint: Engine) -> None:
    plain, nose = inpaint.views.unseen(Painting("q")), inpaint.views.unseen(nose_of(inpaint))
    assert [one["label"] for one in plain] == [one["label"] for one in nose]
    assert [one["image"] for one in plain] != [one["image"] for one in nose]
    sample = inpaint.sampling.sample({"seed": 10_000, "hole": HIDDEN})
    image = picture_uri(inpaint.generator.images([sample])[0])
    assert np.abs(decoded(nose[0]["image"]).astype(int) - decoded(image)).max() <= 1


def test_an_inpainting_rule_is_what_the_command_line_learns(
    inpaint: Engine, tmp_path: Path
) -> None:
    options = {"samples": {"holes": HIDDEN}, "scale": "stretch"}
    painting = replace(nose_of(inpaint), options=options)
    edits = learned_twice(inpaint, painting, tmp_path)
    assert edits["samples"] == {"holes": HIDDEN} and edits["generator"] == "portraits-inpaint"


def test_holes_are_painted_on_images_of_ones_own(folder: Path, tmp_path: Path) -> None:
    engine = opened(native(rfr.lively(), tmp_path / "g.safetensors"), tmp_path, folder)
    described = engine.described()
    assert described["count"] == 12 and described["regions"] == []
    assert (described["height"], described["width"]) == engine.sampling.size == (32, 40)
    shown: list[Any] = []
    engine.views.grid(2, GridOptions(), shown.append, lambda: not shown)
    sample = shown[0][0]["sample"]
    assert sample == {"picture": str(folder / "02.png")} and shown[0][0]["label"] == "02.png"
    own = engine.sampling.own_size(sample)
    assert engine.sampling.label(sample) == "02.png" and own == (40, 50)
    bare = Target("a", sample, "02.png", (MIDDLE,), own_size=own)
    painting = Painting("p", CAT, (NOSE,), (bare,))
    assert engine.tasks.missing(painting) == "Paint the hole of 02.png: what is to be filled"
    assert "known" not in engine.views.target(bare) and len(engine.views.unseen(painting)) <= 8
    holed = replace(bare, hole=(Stroke("ellipse", ellipse=(16.0, 16.0, 8, 8)),))
    assert holed.described(engine.sampling.size)["hole"] == {"ellipses": [[20.0, 20.0, 10.0, 10.0]]}
    known = decoded(engine.views.target(holed)["known"])[..., 1]
    assert known.shape == (32, 40) and known[16, 16] == 0 and known[0, 0] == 255
    edits = learned_twice(engine, painting.with_target(holed), tmp_path)
    assert edits["samples"] == {"pictures": str(folder)}
    assert edits["edits"][0]["targets"][0]["picture"] == str(folder / "02.png")


def test_a_translation_has_a_style_of_its_own(tmp_path: Path, folder: Path) -> None:
    engine = opened(native(munit.lively(), tmp_path / "g.safetensors"), tmp_path, folder)
    described = engine.described()
    assert described["styles"] and not described["holes"] and described["count"] == 12
    shown: list[Any] = []
    engine.views.grid(2, GridOptions(), shown.append, lambda: not shown)
    sample = shown[0][0]["sample"]
    assert sample["style"] == {"seed": 2}
    first = engine.views.target(Target("a", sample, ""))
    other = engine.views.target(Target("a", {**sample, "style": {"seed": 9}}, ""))
    assert first["image"] != other["image"] and first["given"] == other["given"]
    assert not {"known", "whole"} & set(first)
    dab = Stroke("brush", points=((14.0, 16.0), (24.0, 17.0)), radius=4.0)  # becomes a mask
    styled = Target("a", {**sample, "style": {"seed": 9}}, "", (dab,), own_size=(40, 50))
    painting = Painting("p", CAT, (NOSE,), (styled,))
    edits = learned_twice(engine, painting, tmp_path)
    assert edits["edits"][0]["targets"][0]["style"] == {"seed": 9}


def test_what_a_generator_does_not_have_is_refused(inpaint: Engine, tmp_path: Path) -> None:
    for request, message in (
        ({"seed": 3, "style": {"seed": 1}}, "a sample with a style"),
        ({"seed": 3, "hole": {"portraits": "ears"}}, "hole: got ears, expected eyes or nose"),
        ({"seed": 3, "truncation": 0.5}, "a sample with a truncation"),
    ):
        with pytest.raises(RegenError, match=message):
            inpaint.sampling.label(request)


def test_a_hole_that_stays_grey_in_the_middle_is_said_on_the_page(inpaint: Engine) -> None:
    large = Stroke("ellipse", ellipse=(32.0, 32.0, 25, 25))
    (line,) = inpaint.previews.preview(nose_of(inpaint, hole=(large,)))["warnings"]
    assert "in the middle of the hole are out of reach and stay grey" in line
