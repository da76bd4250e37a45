"""The oracle of people as cats."""

from __future__ import annotations

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.bundled import renderer
from regen.generators.munit.oracle import CatOracle
from regen.generators.munit.source import read_sample
from regen.generators.munit.styles import style_numbers
from regen.generators.protocol import Sample
from regen.portraits import attributes, cat_style, render_cat, seed_to_z

PEOPLE = renderer((32, 32))
ORACLE = CatOracle(PEOPLE, 32)
PERSON = Sample(label="seed 3", index=3)


def test_a_person_is_the_cat_of_its_style() -> None:
    samples = [read_sample({"seed": 3, "style": 9}), read_sample({"seed": 4})]
    looks = cat_style(style_numbers([9, 4], 8))
    for pattern in (None, "hat"):
        wanted = render_cat(attributes(seed_to_z([3, 4])), looks, 32, pattern)
        got = ORACLE.wanted(samples, pattern) if pattern else ORACLE.plain(samples)
        assert torch.equal(got, wanted)


def test_what_changes_is_inside_of_the_region() -> None:
    sample = [read_sample({"seed": 3, "style": 9})]
    moved = (ORACLE.plain(sample) - ORACLE.wanted(sample, "hat")).abs().amax(1, keepdim=True)
    assert torch.equal(ORACLE.changed(sample, "hat"), PEOPLE.changed([PERSON], "hat"))
    assert not (moved > 0.02)[ORACLE.changed(sample, "hat") == 0].any() and moved.max() > 0.3
    assert torch.equal(ORACLE.region("eyes", sample), PEOPLE.region("eyes", [PERSON]))


def test_an_exemplars_person_has_the_style_of_its_number() -> None:
    assert torch.equal(
        ORACLE.wanted([PERSON], "hat"), ORACLE.wanted([read_sample({"seed": 3, "style": 3})], "hat")
    )


def test_what_it_knows() -> None:
    photo = read_sample({"picture": "dog.jpg", "style": 1})
    like_a_photo = read_sample({"seed": 3, "style": "cat.jpg"})
    assert ORACLE.knows(read_sample({"seed": 3, "style": 9})) and ORACLE.knows(PERSON)
    assert not ORACLE.knows(photo) and not ORACLE.knows(like_a_photo)
    assert ORACLE.patterns == PEOPLE.patterns and ORACLE.regions == PEOPLE.regions
    assert ORACLE.changed([], "hat").shape == (0, 1, 32, 32)
    for sample in (photo, Sample(label="seed 3, truncated")):
        with pytest.raises(GeneratorError, match="as the renderer draws it: got"):
            ORACLE.plain([sample])
