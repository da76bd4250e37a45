"""An oracle that cannot measure the result is refused before the fit."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.edits.schema import (
    Edit,
    Edits,
    NamedRegion,
    PasteOracle,
    Pattern,
    SampleSpec,
    Target,
    read_edits,
)
from regen.errors import EditsError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import save_image
from regen.images.regions import Region
from regen.rewriting.resolve import NoProjectorWarning, resolve


def edits(oracle: Any) -> Edits:
    target = Target(SampleSpec(3), Region.box(4, 4, 12, 12))
    return Edits((Edit(Pattern("cat_eyes", 5), NamedRegion("eyes"), (target,)),), oracle=oracle)


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        ("cat_eyes", "oracle: got 'cat_eyes', expected a generator with one, such as the bundled"),
    ],
)
def test_an_oracle_that_is_not_there(generator: StyleGAN2, oracle: Any, message: str) -> None:
    with pytest.raises(EditsError, match=f"^{re.escape(message)}"):
        resolve(edits(oracle), generator)


def test_an_oracle_that_does_not_know_the_samples_is_refused_before_the_fit(tmp_path: Path) -> None:
    for number in range(8):
        save_image(tmp_path / f"{number}.png", torch.zeros(1, 3, 8, 8))
    path = "examples/inpaint_red_nose.json"
    message = r"oracle: got 'red_nose' for \d.png, which the renderer does not know, expected samp"
    with pytest.raises(EditsError, match=message), warnings.catch_warnings():
        warnings.simplefilter("ignore", NoProjectorWarning)
        resolve(path, images=tmp_path)
    pasted = replace(read_edits(path), oracle=PasteOracle())
    with pytest.warns(NoProjectorWarning):
        assert resolve(pasted, images=tmp_path).edits.oracle == PasteOracle()
