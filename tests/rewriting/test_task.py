"""What a rewrite is made from is checked when it is resolved."""

from __future__ import annotations

import re
from typing import Any

import pytest

from regen.edits.schema import Edit, Edits, NamedRegion, PasteOracle, Pattern, SampleSpec, Target
from regen.errors import EditsError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.rewriting.task import resolve


def edits(oracle: Any) -> Edits:
    target = Target(SampleSpec(3), Region.box(4, 4, 12, 12))
    return Edits((Edit(Pattern("cat_eyes", 5), NamedRegion("eyes"), (target,)),), oracle=oracle)


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        ("cat_eyes", "oracle: got 'cat_eyes', expected a generator with one, such as the bundled"),
        (PasteOracle(), 'oracle: got {"paste": true}, which regen does not measure yet'),
    ],
)
def test_an_oracle_that_is_not_there(generator: StyleGAN2, oracle: Any, message: str) -> None:
    with pytest.raises(EditsError, match=f"^{re.escape(message)}"):
        resolve(edits(oracle), generator)
