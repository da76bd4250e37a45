"""`regen.projector.whole`: one image with the context that its generator asks for."""

from __future__ import annotations

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.protocol import Generator
from regen.images.regions import Region
from regen.projector.config import ProjectorConfig
from regen.projector.files import Projector
from regen.projector.network import BackwardProjector
from regen.projector.project import best_context, project
from regen.projector.whole import check_hole, project_whole
from tests.helpers.rfr import lively
from tests.helpers.stylegan2 import tiny_generator


def test_a_whole_image_has_the_best_context_of_samples() -> None:
    generator = tiny_generator().eval().requires_grad_(False)
    split, source = generator.split(4, 1), generator.source()
    config = ProjectorConfig.for_split(split, generator, widths=(4, 4))
    projector = Projector(BackwardProjector(config).eval(), 4, "p", {})
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    found = project_whole(projector, generator, split, source, image, "", candidates=3, hole=None)
    context = best_context(projector, generator, split, source, image, 3)
    assert torch.equal(found.decoded, project(projector, split, image, context).decoded)


@pytest.mark.parametrize(
    ("generator", "hole", "message"),
    [
        (lively(), None, "hole of the images to project: got none, expected a mask, white where"),
        (tiny_generator(), "a.png", "hole: got a.png, expected none; this generator, of the fam"),
        (tiny_generator(), Region.box(0, 0, 1, 1), "hole: got a region, expected none"),
        (tiny_generator(), "data:image/png;base64,AAAA", "hole: got a mask, expected none"),
    ],
)
def test_a_hole_must_suit_the_generator(
    generator: Generator, hole: Region | str | None, message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        check_hole(generator, hole)


def test_a_hole_where_one_is_needed_is_fine() -> None:
    check_hole(lively(), "a.png")
    check_hole(tiny_generator(), None)
