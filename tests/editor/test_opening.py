"""Edits files as paintings: what is painted makes the file again."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from regen import api
from regen.editor.as_edits import edits_json
from regen.editor.document import Document, Rule
from regen.editor.kept import Kept
from regen.editor.opening import document_from, pictures_of
from regen.editor.painting import Painting
from regen.editor.strokes import Stroke
from regen.edits.file_models import EditsJson
from regen.edits.schema import PasteOracle
from regen.errors import RegenError
from regen.generators.families import family
from regen.generators.names import generator_path
from regen.images import save_image
from regen.projector.files import projectors_of
from regen.rewriting.composite import compose
from tests.helpers import rfr

ROOT = Path(__file__).parents[2]
BOX = [1, 1, 9, 9]
EYES = ROOT / "examples" / "eyes.json"


def written(folder: Path, **changes: Any) -> Path:
    content = json.loads(EYES.read_text())
    content["edits"][0]["targets"] = content["edits"][0]["targets"][:1]
    content["edits"][0].update(changes)
    (folder / "e.json").write_text(json.dumps(content))
    return folder / "e.json"


@pytest.mark.parametrize("name", ["eyes", "dark_sunglasses", "faces_sunglasses"])
def test_the_bundled_examples_come_back_as_they_were(name: str) -> None:
    """Boxes stay boxes: they have a mean place, at which a pseudo-oracle pastes."""
    before = api.read_edits(ROOT / "examples" / f"{name}.json")
    size = api.open_generator(before.generator).image_size
    document = document_from(Path(before.file), before.generator)
    assert api.edits_of(edits_json(document.painting, before.generator, size)) == before


@pytest.mark.parametrize(
    "region",
    [
        {"box": [30, 50, 50, 60]},
        {"boxes": [[30, 50, 50, 60], [70, 50, 90, 60]]},
        {"polygon": [[30, 50], [50, 50], [40, 60]]},
        {"ellipse": [40, 55, 10, 5]},
        {"portraits": "eyes"},
    ],
    ids=lambda region: next(iter(region)),
)
def test_every_kind_of_region_covers_the_same(region: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, targets=[{"seed": 4, "region": region}])
    document = document_from(path, "portraits")
    again = api.edits_of(edits_json(document.painting, "portraits", (128, 128)))
    bench = api.Workbench(api.open_generator("portraits"), unseen=1)
    masks = [
        bench.task(edits).examples[0].target_region.mask(128, 128)
        for edits in (api.read_edits(path), again)
    ]
    assert (masks[0] - masks[1]).abs().max() <= 1 / 255


LEFT, RIGHT, CHIN = [48, 61, 10, 7], [83, 61, 10, 7], [64, 100, 5, 5]
CAT_LEFT, CAT_RIGHT, CAT_NOSE = [172, 113, 40, 25], [266, 112, 40, 25], [266, 238, 26, 18]


@pytest.mark.parametrize(
    ("exemplar", "target", "message"),
    [
        ([CAT_LEFT], [LEFT, RIGHT], "got 2 shapes for 1 of the exemplar, which is carried to all"),
        ([CAT_LEFT, CAT_LEFT, CAT_NOSE], [LEFT, RIGHT, CHIN], "got shapes that overlap, or one of"),
        ([CAT_LEFT, [190, 112, 40, 25]], [LEFT, RIGHT], "got shapes that overlap, or one of sev"),
        ([CAT_LEFT, CAT_RIGHT], [LEFT, [50, 61, 10, 7]], "got shapes that overlap, or one of sev"),
        ([CAT_LEFT, CAT_LEFT], [LEFT, RIGHT], ""),
        ([CAT_LEFT, CAT_RIGHT], [LEFT], ""),
        ([CAT_LEFT, [190, 112, 40, 25]], [LEFT], ""),
    ],
)
def test_the_same_parts_are_pasted_or_the_file_is_refused(
    exemplar: Any, target: Any, message: str, tmp_path: Path
) -> None:
    targets = [{"seed": 4, "region": {"ellipses": target}}]
    path = written(tmp_path, region={"ellipses": exemplar}, targets=targets)
    if message:
        with pytest.raises(RegenError, match=rf"edits\[0\].targets\[0\].region: {message}"):
            document_from(path, "portraits")
        return
    again = edits_json(document_from(path, "portraits").painting, "portraits", (128, 128))
    generator = api.open_generator("portraits")
    pasted = [composites(edits, generator) for edits in (api.read_edits(path), api.edits_of(again))]
    assert torch.equal(*pasted)


def test_rules_of_the_session_stay(tmp_path: Path) -> None:
    before = Document(Painting("p"), (Rule("a", "Rule 1", Painting("q")),))
    document = document_from(EYES, "portraits", before)
    assert document.rules == before.rules and len(document.painting.targets) == 3


def test_more_targets_than_the_page_shows_are_refused(tmp_path: Path) -> None:
    targets = [{"seed": n, "region": {"box": [1, 1, 9, 9]}} for n in range(4)]
    with pytest.raises(RegenError, match="got 4, expected at most 3 in the editor; leave some"):
        document_from(written(tmp_path, targets=targets), "portraits")


def test_another_generator_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(
        RegenError, match="generator: got portraits, expected g; run `regen edit portraits"
    ):
        document_from(path, "g")


def composites(edits: api.Edits, generator: api.Generator) -> torch.Tensor:
    """The targets with the patterns pasted, ``[T, 3, H, W]``: what the rule is made of."""
    task = api.Workbench(generator, unseen=1).task(edits)
    images = [generator(example.latent) for example in task.examples]
    pairs = zip(task.examples, images, strict=True)
    return torch.cat([compose(example, image, task.settings.rule)[0] for example, image in pairs])


@pytest.mark.filterwarnings("ignore::regen.rewriting.resolve.NoProjectorWarning")
@pytest.mark.parametrize("name", ["drawn_cat_eyes", "sunglasses", "red_nose", "inpaint_sunglasses"])
def test_what_the_renderer_draws_is_pasted_as_the_rewrite_pastes_it(
    name: str, tmp_path: Path
) -> None:
    path = ROOT / "examples" / f"{name}.json"
    before = api.read_edits(path)
    generator = api.open_generator(before.generator)
    document = document_from(path, before.generator)
    content = edits_json(document.painting, before.generator, generator.image_size)
    again = composites(api.edits_of(content), generator)
    assert (again - composites(before, generator)).abs().max() < 1 / 127.5  # a level of 8 bits
    assert [target.exemplar is None for target in document.painting.targets] == [True, False, False]
    assert document.painting.picture.name.endswith(" on the face of seed 1241")
    kept = Kept(tmp_path / "session")
    kept.save(document, before.generator)
    assert kept.load(before.generator) == document
    (tmp_path / "e.json").write_text(json.dumps(content))
    reopened = document_from(tmp_path / "e.json", before.generator)
    assert edits_json(reopened.painting, before.generator, generator.image_size) == content


def test_what_is_learned_from_it_is_what_the_file_teaches() -> None:
    """By the closed form: gradient steps carry the least rounding far away."""
    path = ROOT / "examples" / "drawn_cat_eyes.json"
    painting = document_from(path, "portraits").painting
    closed = {"fit.solver": "closed-form", "fit.steps": 1, "fit.preserve": 2}
    settings = api.RewriteSettings().changed(closed)
    given = api.rewrite(path, settings=settings).deltas
    opened = api.rewrite(
        api.edits_of(edits_json(painting, "portraits", (128, 128))), settings=settings
    ).deltas
    assert set(given) == set(opened)
    for name, delta in given.items():
        assert (opened[name] - delta).norm() <= 0.02 * delta.norm()
    assert any(delta.norm() > 0 for delta in given.values())


def red_nose(folder: Path, **changes: Any) -> Path:
    """The bundled example with other keys beside its edits."""
    content = json.loads((ROOT / "examples" / "red_nose.json").read_text())
    del content["$schema"]
    (folder / "nose.json").write_text(json.dumps({**content, **changes}))
    return folder / "nose.json"


def test_every_key_beside_the_edits_stays(tmp_path: Path) -> None:
    given = {
        "projector": str(projectors_of(api.open_generator("portraits"))[0]),
        "value_layer": 8,
        "memory_layers": 2,
        "weights": {"new": 20.0, "old": 3.0},
        "align": "feature",
        "scale": "stretch",
        "shape": "exemplar",
        "blend": "gain",
        "feather": 2.0,
        "oracle": "red_nose",
    }
    known = {field.alias or name for name, field in EditsJson.model_fields.items()}
    assert known - set(given) == {"version", "generator", "edits", "samples", "$schema"}
    painting = document_from(red_nose(tmp_path, **given), "portraits").painting
    again = edits_json(painting, "portraits", (128, 128))
    assert {key: again[key] for key in given} == given
    assert api.edits_of(again).oracle == "red_nose"
    pasted = document_from(red_nose(tmp_path, oracle={"paste": True}), "portraits").painting
    assert api.edits_of(edits_json(pasted, "portraits", (128, 128))).oracle == PasteOracle()


def test_a_region_keeps_its_name_until_something_is_painted() -> None:
    """By it the result is measured where unseen samples have theirs."""
    painting = document_from(ROOT / "examples" / "red_nose.json", "portraits").painting
    dab = Stroke("brush", points=((64.0, 64.0),), radius=4)
    (key, *_) = (target.key for target in painting.targets)
    painted = painting.with_strokes(key, (*painting.target(key).strokes, dab))
    for one, first in ((painting, {"portraits": "nose"}), (painted, None)):
        edits = edits_json(one, "portraits", (128, 128))["edits"]
        regions = [target["region"] for edit in edits for target in edit["targets"]]
        assert regions[1:] == [{"portraits": "nose"}] * 2
        assert regions[0] == first if first else list(regions[0]) == ["mask"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"oracle": "dog"}, "nose.json: oracle: unknown pattern of portraits: got 'dog'"),
        ({"value_layer": 99}, "nose.json: value_layer: got 99, expected 1 to 11"),
        ({"samples": {"holes": "random"}}, "nose.json: samples: "),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_what_nobody_could_correct_on_the_page_is_refused(
    changes: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RegenError, match=re.escape(message)):
        document_from(red_nose(tmp_path, **changes), "portraits")


def test_an_oracle_is_refused_for_images_that_it_does_not_know(tmp_path: Path) -> None:
    path, name = ROOT / "examples" / "inpaint_red_nose.json", "portraits-inpaint"
    for number in range(8):
        save_image(tmp_path / f"{number}.png", torch.zeros(3, 8, 8))
    with pytest.raises(RegenError, match=r"oracle: got 'red_nose' for \d.png, .*; remove it"):
        document_from(path, name, images=tmp_path)


def test_each_edit_has_its_exemplar_and_its_region(tmp_path: Path) -> None:
    content = json.loads(EYES.read_text())
    (edit,) = content["edits"]
    first, second, third = ([target] for target in edit["targets"])
    content["edits"] = [
        {**edit, "targets": first},
        {**edit, "targets": second, "exemplar": "skimage:astronaut"},
        {**edit, "targets": third, "region": {"ellipses": [[266, 112, 40, 23]] * 2}},
    ]
    path = tmp_path / "e.json"
    path.write_text(json.dumps(content))
    painting = document_from(path, "portraits").painting
    own = [target.exemplar for target in painting.targets]
    assert own[0] is None and painting.picture.source == "skimage:chelsea"
    assert [one.picture.source for one in own[1:]] == ["skimage:astronaut", "skimage:chelsea"]
    assert [one.strokes[0].ellipse[0] for one in own[1:]] == [172, 266]
    again = api.edits_of(edits_json(painting, "portraits", (128, 128)))
    assert [edit.exemplar.source for edit in again.edits] == [
        edit["exemplar"] for edit in content["edits"]
    ]


def mixed(folder: Path, **more: Any) -> Path:
    """A file of two exemplars: a region by its name, and a mask that somebody drew."""
    Image.fromarray(np.full((30, 45, 3), 99, np.uint8)).save(folder / "grey.png")
    mask = np.zeros((30, 45), np.uint8)
    mask[9:20, 9:30] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    target = {"seed": 0, "region": {"portraits": "nose"}}
    drawn = {"exemplar": {"pattern": "red_nose", "seed": 5}, "region": {"portraits": "nose"}}
    cut_out = {"exemplar": "grey.png", "region": {"mask": "mask.png"}}
    content = {
        "version": 1,
        "edits": [
            {**drawn, "targets": [target]},
            {**cut_out, "targets": [{**target, "seed": 3}]},
        ],
    }
    (folder / "mixed.json").write_text(json.dumps({**content, **more}))
    return folder / "mixed.json"


def test_outlines_of_several_kinds_are_refused_unless_the_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(RegenError, match=r'shape: got auto.*; give "shape": "exemplar" or "targ'):
        document_from(mixed(tmp_path), "portraits")
    document = document_from(mixed(tmp_path, shape="exemplar"), "portraits")
    assert document.painting.options["shape"] == "exemplar"


def test_a_generator_beside_the_file_is_the_one_that_the_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    content = {**json.loads(path.read_text()), "generator": "g.safetensors"}
    path.write_text(json.dumps(content))
    (tmp_path / "g.safetensors").write_bytes(generator_path("portraits").read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in ("g.safetensors", "./g.safetensors", str(tmp_path / "g.safetensors")):
        assert len(document_from(path, name).painting.targets) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": {"box": [1e308, 0, 1.7e308, 9]}}, "edits[0].region: region reaches outside"),
        (
            {"targets": [{"seed": 3, "region": {"box": [0, 0, 1, 129]}}]},
            "edits[0].targets[0].region: region reaches outside its image: got x from 0 to 1",
        ),
        (
            {"targets": [{"seed": 2**40, "region": {"box": [1, 1, 9, 9]}}]},
            "edits[0].targets[0].seed: got 1099511627776, expected an integer from 0 to 4294967295",
        ),
        (
            {
                "targets": [
                    {"seed": 3, "hole": {"box": [1, 1, 9, 9]}, "region": {"box": [1, 1, 9, 9]}}
                ]
            },
            "edits[0].targets[0]: a sample with a hole",
        ),
    ],
)
def test_what_the_page_cannot_show_is_refused_with_its_place(
    changes: Any, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(RegenError) as caught:
        document_from(path, "portraits")
    assert str(caught.value).startswith(f"{path}: {message}")


def test_what_an_edits_file_holds_is_found_again_in_a_session(tmp_path: Path) -> None:
    """It may have more than one gesture on the page: longer outlines, and larger masks."""
    angles = [2 * math.pi * n / 5000 for n in range(5000)]
    outline = [[64 + 20 * math.cos(a), 64 + 20 * math.sin(a)] for a in angles]
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600), dtype=np.uint8)
    for name, image in (("noise.png", noise), ("grey.png", noise // 255)):
        Image.fromarray(image).save(tmp_path / name)
    targets = [{"seed": 4, "region": {"polygon": outline}}]
    path = written(tmp_path, exemplar="grey.png", region={"mask": "noise.png"}, targets=targets)
    document = document_from(path, "portraits")
    kept = Kept(tmp_path / "session")
    kept.save(document, "portraits")
    assert kept.load("portraits") == document


def test_holes_styles_and_samples_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "nose.json"
    target = {"seed": 3, "hole": {"portraits": "nose", "grow": [1, 3]}}
    content = {
        "version": 1,
        "generator": "portraits-inpaint",
        "blend": "gain",
        "samples": {"holes": {"portraits": "nose", "grow": 2}},
        "edits": [
            {
                "exemplar": "skimage:chelsea",
                "region": {"ellipse": [266, 238, 26, 18]},
                "targets": [{**target, "region": {"ellipse": [32, 38, 4, 3]}}],
            }
        ],
    }
    path.write_text(json.dumps(content))
    document = document_from(path, "portraits-inpaint")
    assert document.painting.targets[0].sample == target and pictures_of(document) is None
    again = api.edits_of(edits_json(document.painting, "portraits-inpaint", (64, 64)))
    assert again == api.read_edits(path)


def test_images_of_ones_own_come_with_their_folder(tmp_path: Path) -> None:
    family(rfr.Inpainter.family).save(tmp_path / "g.safetensors", rfr.lively(), card={})
    save_image(tmp_path / "a.png", torch.zeros(3, 40, 50))
    hole, region = {"box": [10, 10, 30, 30]}, {"box": [10, 10, 20, 20]}
    target = {"picture": "a.png", "hole": hole, "region": region}
    edit = {
        "exemplar": "skimage:chelsea",
        "region": {"box": [150, 90, 200, 130]},
        "targets": [target],
    }
    content = {"version": 1, "generator": "g.safetensors", "samples": {"pictures": "."}}
    path = tmp_path / "e.json"
    path.write_text(json.dumps({**content, "edits": [edit]}))
    generator = str(tmp_path / "g.safetensors")
    document = document_from(path, generator)
    (opened,) = document.painting.targets
    assert opened.own_size == (40, 50) and opened.label == "a.png" and not opened.lacks_hole
    assert pictures_of(document) == tmp_path
    assert api.edits_of(edits_json(document.painting, generator, (32, 40))).samples is not None
    outside = {**target, "region": {"box": [10, 10, 45, 20]}}
    path.write_text(json.dumps({**content, "edits": [{**edit, "targets": [outside]}]}))
    with pytest.raises(RegenError, match=r"targets\[0\].region: .* outside"):
        document_from(path, generator)
