"""Examples, and the exemplar's pattern pasted into the target's image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regen.edits.schema import read_edits
from regen.generators.registry import open_generator
from regen.rewriting.composite import Example, compose
from regen.rewriting.examples import load_examples
from regen.rewriting.settings import RuleSettings


@pytest.mark.parametrize(
    ("alpha", "drawn", "shape", "outline"),
    [
        (None, False, "auto", "target"),
        (None, True, "auto", "source"),
        (torch.ones(1, 1, 32, 32), False, "auto", "source"),
        (torch.ones(1, 1, 32, 32), True, "target", "target"),
        (None, False, "exemplar", "source"),
    ],
)
def test_the_outline_is_that_of_the_exemplar_where_it_has_one(
    examples: list[Example], alpha: torch.Tensor | None, drawn: bool, shape: str, outline: str
) -> None:
    assert replace(examples[0], alpha=alpha, drawn=drawn).outline(shape) == outline


def test_an_exemplar_is_shown_on_white(examples: list[Example]) -> None:
    assert examples[0].shown is examples[0].exemplar
    half = replace(examples[0], alpha=torch.full((1, 1, 32, 32), 0.5))
    torch.testing.assert_close(half.shown, (half.exemplar + 1) / 2)


def test_no_white_is_left_around_transparent_sunglasses() -> None:
    generator = open_generator("portraits")
    edits = read_edits(Path(__file__).parents[2] / "examples" / "dark_sunglasses.json")
    example = load_examples(edits, generator)[0]
    image = generator(example.latent)
    composite, mask = compose(example, image, RuleSettings())
    assert mask.mean() > 0.05
    changed = (mask > 0).expand_as(composite)
    assert composite[changed].max() < image[changed].max()  # the glasses are dark everywhere
    assert not bool((composite > 0.98).all(dim=1).any())
