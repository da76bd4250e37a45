"""The hole of a sample as a mask, whatever it was given as.

There is one polarity: white, or inside, is what will be filled. The network's own masks are the
other way round, and so are those of many tools; a hole over more than half of an image is therefore
refused.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from regen.edits.schema import NamedRegion
from regen.errors import GeneratorError, within
from regen.generators.pictures import Person
from regen.generators.protocol import Oracle, Sample
from regen.generators.rfr.holes import grown, random_hole
from regen.generators.rfr.source import PARTS, FillSample, MaskFile, RandomHole
from regen.images import load_mask
from regen.images.regions import Region

LARGEST_SHARE = 0.5  # of an image
_NOTHING = 1e-3  # of a pixel; what is covered more is filled


def hole_of(
    sample: FillSample,
    size: tuple[int, int],
    people: Oracle | None,
    own_size: tuple[int, int] | None = None,
) -> Tensor:
    """Where a sample is to be filled.

    Args:
        sample: The sample.
        size: Height and width of its image in the generator.
        people: Knows where named parts of people are.
        own_size: Height and width of its image as it was given, which regions are in pixels of;
            `size` if None.

    Returns:
        A mask ``[1, 1, H, W]`` of 0 and 1; 1 is to be filled.

    Raises:
        GeneratorError: If the hole is empty or covers more than half of the image, or is a named
            part of something that is no rendered person.
        RegionError: If it reaches outside of the image.
        ImageError: If a mask cannot be read.
    """
    covered = _covered(sample, size, people, own_size or size)
    hole = grown((covered > _NOTHING).float(), sample.grow)
    _check_share(sample, hole, float(covered.gt(_NOTHING).float().mean()))
    return hole


def person_of(sample: Sample) -> Sample:
    """The person of a sample. Raises GeneratorError if its image is a file."""
    if not isinstance(sample, FillSample):
        return sample
    if not isinstance(sample.picture, Person):
        raise GeneratorError(
            f"{sample.label}: a part of a face by its name",
            got="an image file",
            expected="a rendered person, by its seed",
            remedy="give a box, a polygon or a mask",
        )
    return Sample(label=sample.label, index=sample.picture.seed)


def _covered(
    sample: FillSample, size: tuple[int, int], people: Oracle | None, own_size: tuple[int, int]
) -> Tensor:
    """How much of each pixel a sample's hole covers, before it grows."""
    hole = sample.hole
    if isinstance(hole, MaskFile):
        return F.adaptive_max_pool2d(load_mask(hole.location), size)
    if isinstance(hole, Region):
        with within("hole"):
            hole.check_inside(*own_size)  # before its numbers are those of another size
        scaled = hole.scaled(size[1] / own_size[1], size[0] / own_size[0])
        return scaled.mask(*size)
    drawn = people if isinstance(sample.picture, Person) else None
    if isinstance(hole, NamedRegion):
        return _part(hole.name, sample, people)
    assert isinstance(hole, RandomHole)
    names = () if drawn is None else PARTS
    return random_hole(
        hole.seed, size, names, lambda name: (_part(name, sample, drawn) > 0).float()
    )


def _part(name: str, sample: FillSample, people: Oracle | None) -> Tensor:
    person = person_of(sample)
    if people is None:
        raise GeneratorError(
            f"{sample.label}: hole {name!r}",
            expected="a box, a polygon or a mask",
            remedy="only the bundled portraits have named parts",
        )
    return people.region(name, [person])


def _check_share(sample: FillSample, hole: Tensor, share_before: float) -> None:
    share = float(hole.mean())
    if share_before <= LARGEST_SHARE < share:
        raise GeneratorError(
            f"{sample.label}: hole",
            got=f"{share:.0%} of the image with {sample.grow} pixels around it",
            expected=f"at most {LARGEST_SHARE:.0%}",
            remedy="let it grow by less",
        )
    if share > LARGEST_SHARE:
        raise GeneratorError(
            f"{sample.label}: hole",
            got=f"{share:.0%} of the image",
            expected=f"at most {LARGEST_SHARE:.0%}; white, or inside, is what will be filled",
            remedy="the mask seems to be white where pixels are known: invert it",
        )
    if share == 0:
        raise GeneratorError(
            f"{sample.label}: hole",
            got="an empty one",
            expected="some white pixels; white, or inside, is what will be filled",
        )
