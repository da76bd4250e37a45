"""The oracle of people, limited to holes."""

from __future__ import annotations

import torch

from regen.edits.schema import NamedRegion
from regen.generators.bundled import renderer
from regen.generators.protocol import Sample
from regen.generators.rfr.oracle import FillOracle
from regen.generators.rfr.source import read_sample
from regen.images.regions import Region

PEOPLE = renderer((32, 32))
ORACLE = FillOracle(PEOPLE, 32)
PERSON = Sample(label="seed 3", index=3)


def test_a_pattern_is_in_the_hole_alone() -> None:
    half = read_sample({"seed": 3, "hole": Region.box(0, 0, 16, 32)})
    plain, wanted = PEOPLE.plain([PERSON]), PEOPLE.wanted([PERSON], "red_nose")
    got = ORACLE.wanted([half], "red_nose")
    assert torch.equal(got[..., :16], wanted[..., :16])
    assert torch.equal(got[..., 16:], plain[..., 16:])
    assert torch.equal(ORACLE.plain([half]), plain)
    changed, whole = ORACLE.changed([half], "red_nose"), PEOPLE.changed([PERSON], "red_nose")
    assert torch.equal(changed[..., :16], whole[..., :16]) and not changed[..., 16:].any()
    assert whole[..., 16:].any() and changed.any()


def test_a_person_without_a_hole_may_change_everywhere() -> None:
    assert torch.equal(ORACLE.wanted([PERSON], "hat"), PEOPLE.wanted([PERSON], "hat"))
    assert torch.equal(ORACLE.changed([PERSON], "hat"), PEOPLE.changed([PERSON], "hat"))


def test_what_it_knows() -> None:
    nose = read_sample({"seed": 3, "hole": NamedRegion("nose"), "grow": 2})
    photo = read_sample({"picture": "me.jpg", "hole": Region.box(0, 0, 2, 2)})
    assert ORACLE.knows(nose) and ORACLE.knows(PERSON) and not ORACLE.knows(photo)
    assert torch.equal(ORACLE.region("eyes", [nose]), PEOPLE.region("eyes", [PERSON]))
    assert ORACLE.patterns == PEOPLE.patterns and ORACLE.regions == PEOPLE.regions
    assert ORACLE.changed([], "hat").shape == (0, 1, 32, 32)
