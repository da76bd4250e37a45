"""Samples that are reserved for a purpose, from sources of any length, and what they are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.protocol import Generator, Sample, Source
from regen.generators.split import Latent
from regen.seeds import BANDS, Band


def reserved_samples(
    source: Source,
    band: Band,
    count: int,
    taken: Collection[int] = (),
    like: Sample | None = None,
) -> list[Sample]:
    """The first samples of a band.

    The numbers of a band lie beyond a finite source. Its samples that are not taken are dealt to
    the bands in turn, so that no sample serves two purposes there either.

    Args:
        source: Where they come from.
        band: What they are for.
        count: How many are wanted; a finite source may have fewer.
        taken: Numbers to leave out, of targets for instance.
        like: A sample in the manner of which they are, see `Source.alike`.

    Returns:
        At least one sample.

    Raises:
        GeneratorError: If the source has none for this purpose.
    """
    if source.count is None:
        return _of(source, band.take(count, without=taken), like)
    free = [n for n in range(source.count) if n not in taken]
    chosen = free[BANDS.index(band) :: len(BANDS)][:count]
    if not chosen:
        raise GeneratorError(
            f"samples {band.purpose}",
            got=f"none of {source.count}",
            expected=f"at least {len(BANDS)} beside the targets",
            remedy="add images to the folder",
        )
    return _of(source, chosen, like)


def check_reserved(source: Source, band: Band, count: int, taken: Collection[int] = ()) -> None:
    """Raise what `reserved_samples` would, before anything is computed; 0 is always there."""
    if source.count is None:
        band.check(count, without=taken)
    elif count:
        reserved_samples(source, band, 1, taken)


def _of(source: Source, numbers: Iterable[int], like: Sample | None) -> list[Sample]:
    return source.samples(numbers) if like is None else source.alike(like, numbers)


def random_samples(source: Source, indices: Iterable[int], *, varied: bool = False) -> list[Sample]:
    """Samples of any numbers; a finite source is repeated.

    Args:
        source: Where they come from.
        indices: Numbers from 0.
        varied: With the variation that a projector should be trained on.
    """
    count = source.count
    numbers = [index if count is None else index % count for index in indices]
    return source.varied(numbers) if varied else source.samples(numbers)


def shown_inputs(generator: Generator, latents: Iterable[Latent]) -> Tensor | None:
    """What the generator is given for latents, ``[N, 3, H, W]`` in [-1, 1] on the CPU.

    None for a family that is given no images, see `Generator.shown_input`; then no more than the
    first latents are made.
    """
    given = []
    for latent in latents:
        images = generator.shown_input(latent)
        if images is None:
            return None
        given.append(images.float().cpu())
    return torch.cat(given)
