"""Files that people open in the place of a MUNIT's generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.munit.mistakes import check_mistakes
from regen.generators.munit.original import original_state
from regen.generators.registry import open_generator
from tests.helpers.munit import lively

ADAM = {"state": {}, "param_groups": [{"lr": 0.1}]}
DIS = {"cnns.0.0.conv.weight": torch.zeros(1)}
UNIT = {"enc.model.0.conv.weight": torch.zeros(1), "dec.model.0.x": torch.zeros(1)}
MISTAKES = [
    (
        {"gen": ADAM, "dis": ADAM},
        "got optimizer.pt of MUNIT, the state of its optimisers",
    ),
    ({"a": DIS, "b": DIS}, "got dis_XXXXXXXX.pt of MUNIT, its discriminators, expected gen_XXX"),
    ({"a": UNIT, "b": UNIT}, "got the generator of a UNIT, which has no styles"),
    (original_state(lively()), "got one half of a MUNIT's generator, expected both halves, a and"),
    ({"net_D": {}, "opt_D": {}}, "got a discriminator of imaginaire's, net_D, expected a checkp"),
    ({"module.discriminator_a.x": torch.zeros(1)}, "got the discriminators of an improved MUNIT"),
]


@pytest.mark.parametrize(("content", "message"), MISTAKES)
def test_each_is_named(content: dict[str, Any], message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(GeneratorError, match=f"x.pt: kind of file: {message}"):
        open_generator(tmp_path / "x.pt")


@pytest.mark.parametrize("content", [{}, {"a": DIS}, {"gen": ADAM}, {"gen": 3, "dis": 4}, {"a": 1}])
def test_all_else_is_none(content: dict[str, Any]) -> None:
    assert check_mistakes(content, "it") is None
