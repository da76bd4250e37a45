"""Styles of translations: random ones by their seeds, and those of images of the target domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.pictures import PictureFile
from regen.numbers import plain
from regen.seeds import ANY_SEED, LARGEST_SEED

_STREAM = 1  # the style of a seed is independent of the person of that seed


@dataclass(frozen=True)
class RandomStyle:
    """A normal style; equal seeds give equal styles on every machine."""

    seed: int

    def __post_init__(self) -> None:
        if type(self.seed) is not int or not 0 <= self.seed <= LARGEST_SEED:
            raise GeneratorError("style", got=repr(self.seed), expected=ANY_SEED)

    @property
    def label(self) -> str:
        """Name to display."""
        return f"style {self.seed}"


@dataclass(frozen=True)
class ImageStyle:
    """The style of an image of the target domain."""

    picture: PictureFile

    @property
    def label(self) -> str:
        """Name to display."""
        return f"style of {self.picture.label}"


Style = RandomStyle | ImageStyle


def read_style(given: object) -> Style:
    """The style that a request or a command names.

    Args:
        given: A seed, or the path or data URI of an image.

    Raises:
        GeneratorError: If it is neither.
    """
    seed = plain(given)
    if isinstance(seed, int):
        return RandomStyle(seed)
    if isinstance(given, (str, Path)):
        return ImageStyle(PictureFile(str(given)))
    raise GeneratorError("style", got=repr(given), expected="a seed, or an image by its path")


def style_numbers(seeds: Sequence[int], count: int) -> Tensor:
    """Random styles ``[N, count]`` float32, normal; each depends on its own seed only.

    Args:
        seeds: N, from 0 to 2**32 - 1.
        count: Numbers of a style.
    """
    rows = [np.random.RandomState((_STREAM, seed)).randn(1, count) for seed in seeds]
    return torch.from_numpy(np.concatenate([np.zeros((0, count)), *rows])).float()
