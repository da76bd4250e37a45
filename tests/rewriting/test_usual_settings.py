"""What a rewrite is made with where nobody says it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from regen.generators import bundled
from regen.generators.registry import open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.rewriting.composite import Example
from regen.rewriting.precedence import PartialSettings, merge, settings_of_preset
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.usual_settings import (
    find_projector,
    no_projector_note,
    usual_cut,
    with_family_settings,
    without_projector,
)

NOTHING = merge([])


def test_those_of_the_family_take_the_place_of_defaults_alone(
    generator: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {"fit.preserve": 64, "fit.recall": "image"}
    monkeypatch.setattr(StyleGAN2, "usual_settings", usual)
    merged = with_family_settings(merge([PartialSettings("a", {"fit.preserve": 3})]), generator)
    assert (merged.settings.fit.preserve, merged.settings.fit.recall) == (3, "image")
    assert merged.said_by["fit.preserve"] == "a"
    assert merged.said_by["fit.recall"] == "family stylegan2"


@pytest.mark.parametrize(
    ("area", "layer", "cut"),
    [(0.04, None, (7, 4)), (0.05, None, (7, 6)), (0.05, 4, (4, 4)), (0.01, 5, (5, 4))],
)
def test_the_memory_of_a_large_pattern_is_longer(
    generator: StyleGAN2,
    examples: list[Example],
    area: float,
    layer: int | None,
    cut: tuple[int, int],
) -> None:
    assert usual_cut(generator, [replace(one, area=area) for one in examples], layer) == cut


def test_without_a_projector_what_was_given_is_kept(
    generator: StyleGAN2, examples: list[Example]
) -> None:
    found = without_projector(NOTHING, generator, examples)
    usual = found.settings.value_layer, found.settings.memory_layers, found.settings.fit.recall
    assert usual == (7, 4, "image") and found.said_by == NOTHING.said_by
    given = PartialSettings("a", {"memory_layers": 2, "fit.recall": "both"})
    found = without_projector(merge([given]), generator, examples)
    usual = found.settings.value_layer, found.settings.memory_layers, found.settings.fit.recall
    assert usual == (7, 2, "both")


def test_the_value_layer_is_that_of_the_projector(examples: list[Example]) -> None:
    portraits = open_generator("portraits")
    for given, said in (([], "projector"), ([PartialSettings("a", {"value_layer": 8})], "a")):
        merged, projector = find_projector(merge(given), None, portraits, examples)
        assert projector is not None and merged.said_by["value_layer"] == said
        assert merged.settings.value_layer == projector.value_layer == (8 if given else 10)


def test_the_value_layer_of_a_preset_gives_way_to_that_of_a_given_projector(
    examples: list[Example],
) -> None:
    portraits, paper = open_generator("portraits"), merge([settings_of_preset("paper")])
    merged, projector = find_projector(paper, None, portraits, examples)
    assert projector is not None and merged == paper
    path = bundled.projectors_of(portraits.digest())[8]
    merged, projector = find_projector(paper, path, portraits, examples)
    assert projector is not None and projector.value_layer == merged.settings.value_layer == 8
    assert merged.said_by["value_layer"] == "projector"


def test_the_value_layer_of_a_preset_gives_way_where_no_projector_is_known(
    generator: StyleGAN2, examples: list[Example]
) -> None:
    paper = merge([settings_of_preset("paper"), PartialSettings("a", {"rule.align": "image"})])
    merged, projector = find_projector(paper, None, generator, examples)
    assert projector is None and merged.said_by["value_layer"] == "default"
    assert (merged.settings.value_layer, merged.settings.memory_layers) == (7, 2)
    assert paper.settings.value_layer == 10


def test_the_faces_do_without_their_projector_unless_it_is_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoProjectorWarning)
        task = resolve("examples/faces_cat_eyes.json")
    assert task.projector is None and (task.split.value_layer, task.split.memory_layers) == (13, 4)
    asked = resolve("examples/faces_cat_eyes.json", settings=RewriteSettings(value_layer=10))
    assert asked.projector is not None and asked.split.value_layer == 10


def test_what_a_projector_would_add_depends_on_what_is_learned_from(generator: StyleGAN2) -> None:
    image, both = (no_projector_note(generator, 7, recall) for recall in ("image", "both"))
    start = "no projector is known for this generator at value layer 7; "
    assert image.startswith(f"{start}the rule is learned from images alone. A projector would")
    assert both.startswith(f"{start}values are found by gradient steps on each target instead. A")
