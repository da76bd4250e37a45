"""Images from keys that are known are those of the rewritten generator."""

from __future__ import annotations

import pytest
import torch

from regen.errors import RewriteError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting.applying import combined, images_after, is_within
from regen.rewriting.preserved import keys_of
from regen.rewriting.rewrite import Rewrite
from tests.tolerances import assert_near


def change(generator: StyleGAN2, names: list[str], size: float) -> Rewrite:
    """The same is added to all numbers of some weights."""
    parameters = dict(generator.named_parameters())
    deltas = {name: torch.full_like(parameters[name], size) for name in names}
    return Rewrite(deltas, generator.digest(), generator.family)


def test_images_are_those_of_the_rewritten_generator(
    generator: StyleGAN2, split: StyleGAN2Split
) -> None:
    names = [split.full_name(name) for name in split.memory_weights()]
    samples = generator.source().samples([3, 4, 5])
    keys = keys_of(generator, split, samples)
    for some in (names, names[:1]):
        rewrite = change(generator, some, 0.1)
        assert is_within(rewrite, split)
        wanted = rewrite.applied_to(generator).images(samples)
        assert_near(images_after(generator, split, keys, rewrite), wanted, torch.float32, size=2.0)
    assert not torch.equal(wanted, generator.images(samples))


def test_a_rewrite_of_other_layers_is_not_within(
    generator: StyleGAN2, split: StyleGAN2Split
) -> None:
    own = split.full_name(split.memory_weights()[0])
    other = generator.split(2, 1)
    beside = other.full_name(other.memory_weights()[0])
    assert not is_within(change(generator, [own, beside], 0.1), split)


def test_rewrites_are_combined_at_their_strengths(
    generator: StyleGAN2, split: StyleGAN2Split
) -> None:
    name = split.full_name(split.memory_weights()[0])
    one, two = change(generator, [name], 0.25), change(generator, [name], -0.5)
    assert combined([]) is None and combined([(one, 0.0)]) is None
    for rewrites, expected in (([(one, 2.0)], 0.5), ([(one, 1.0), (two, 0.25)], 0.125)):
        total = combined(rewrites)
        assert total is not None and bool((total.deltas[name] == expected).all())
    with pytest.raises(RewriteError, match="strength"):
        combined([(one, float("nan"))])
