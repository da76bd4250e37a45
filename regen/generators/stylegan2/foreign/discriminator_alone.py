"""Files that hold a discriminator by the names of its tensors, and no generator."""

from __future__ import annotations

from typing import NoReturn

from regen.generators.stylegan2.foreign.places import find_places
from regen.generators.stylegan2.foreign.rebuild import only_a_discriminator

_MARKERS = ("final_linear.1.weight", "b4.out.weight")  # rosinality's and NVIDIA's


def is_discriminator_alone(value: object) -> bool:
    """Whether a value in which no generator was found holds a discriminator."""
    return any(find_places(value, marker) for marker in _MARKERS)


def refuse_discriminator_alone(value: object, which: str, where: str) -> NoReturn:
    """Raise the GeneratorError that says so."""
    raise only_a_discriminator(where)
