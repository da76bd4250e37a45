"""What ships in the package: the portraits, their projectors, and the examples that use them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.edits.schema import read_edits
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.registry import open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import resize_mask
from regen.projector.files import PROJECTING_LAYER, REWRITING_LAYER, open_projector
from regen.rewriting.examples import load_examples
from regen.rewriting.rule import RuleSettings, build_rule

SEEDS = [90_001, 90_002, 90_003, 90_004]
FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = [p for p in sorted(FOLDER.glob("*.json")) if read_edits(p).generator == "portraits"]


@pytest.fixture(scope="module")
def portraits() -> StyleGAN2:
    return open_generator("portraits")


def test_the_portraits_are_those_of_the_renderer(portraits: StyleGAN2) -> None:
    samples, oracle = portraits.source().samples(SEEDS), portraits.oracle
    assert oracle is not None
    error = (portraits.images(samples) - oracle.plain(samples)).abs()
    eyes = oracle.changed(samples, "cat_eyes")
    assert error.mean() < 0.06
    assert (error * eyes).sum() / (3 * eyes.sum()) < 0.2  # irises look where they should


def test_truncation_pulls_towards_one_face(portraits: StyleGAN2) -> None:
    with torch.no_grad():
        faces = portraits(portraits.seed_latents(SEEDS, 0.0))
    assert torch.equal(faces[0], faces[1])
    assert portraits.mapping.w_mean.abs().sum() > 0


@pytest.mark.parametrize("layer", [PROJECTING_LAYER, REWRITING_LAYER])
def test_the_projectors_give_samples_back(portraits: StyleGAN2, layer: int) -> None:
    projector = open_projector(None, portraits, value_layer=layer)
    split = portraits.split(layer, 1)
    with torch.no_grad():
        value = split.memory(split.head(portraits.seed_latents(SEEDS)))
        image = split.tail(value)
        decoded = split.tail(value.with_features(projector(image)))
    assert (decoded - image).abs().mean() < 0.03


def test_only_two_layers_have_a_bundled_projector(portraits: StyleGAN2) -> None:
    with pytest.raises(Exception, match="got 5, expected 8 or 10, with a bundled projector"):
        open_projector(None, portraits, value_layer=5)


def test_the_package_stays_small() -> None:
    """18 MB for drawn people; 13 and 8 for the photographs' generator and projector."""
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.glob("*.safetensors")) < 39e6


def test_the_generator_of_photographs() -> None:
    faces = open_generator("london-faces")
    assert faces.image_size == (256, 256) and faces.oracle is None
    path = BUNDLED_FOLDER / "london-faces.safetensors"
    assert path.stat().st_size < 13e6
    samples = [faces.sample({"seed": seed, "truncation": 0.8}) for seed in (20_000, 20_001)]
    images = faces.images(samples, 1)
    assert images.std() > 0.3 and (images[0] - images[1]).abs().mean() > 0.05


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_rules_about_a_known_part(portraits: StyleGAN2, path: Path) -> None:
    pytest.importorskip("skimage", reason="the demo's photograph comes with scikit-image")
    edits = read_edits(path)
    examples = load_examples(edits, portraits)
    assert 1 <= len(examples) <= 3
    projector = open_projector(None, portraits)
    split = portraits.split(projector.value_layer, 3)
    rule = build_rule(split, projector, examples, RuleSettings())
    changed = (rule.wanted - rule.before.features).abs().mean(dim=1, keepdim=True)
    outside = changed * (resize_mask(rule.mask, *split.value_shape((0, 0))[1:]) == 0)
    assert outside.max() < 1e-5 < changed.max()
    targets = [target.sample.seed or 0 for edit in edits.edits for target in edit.targets]
    assert portraits.oracle is not None
    glasses = dict.fromkeys(("sunglasses", "dark_sunglasses"), "glasses")
    part = {"red_nose": "nose", **glasses}.get(path.stem, "eyes")
    known = portraits.oracle.region(part, portraits.source().samples(targets))
    assert (rule.image_mask * known).sum() > 0.7 * rule.image_mask.sum()


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"eyes", "drawn_cat_eyes", "sunglasses"}
