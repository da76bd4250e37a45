"""Samples reserved for a purpose, from seeds without an end and from a folder with one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError, RegenError
from regen.generators.samples import check_reserved, random_samples, reserved_samples, shown_inputs
from regen.generators.stylegan2.source import SeedSource, StyleSample
from regen.seeds import BANDS, MOMENTS, PRESERVED, UNSEEN, Band
from tests.helpers.rfr import lively
from tests.helpers.stylegan2 import seven_convolutions
from tests.toy_family import ToySample, ToySource


def folder(count: int) -> ToySource:
    return ToySource([Path(f"/in/{number}.png") for number in range(count)])


def numbers(source: ToySource, taken: list[int], count: int = 100) -> list[list[int | None]]:
    """For each band the numbers of its samples."""
    bands = (reserved_samples(source, band, count, taken) for band in BANDS)
    return [[sample.index for sample in samples] for samples in bands]


def test_seeds_have_bands_of_their_own() -> None:
    for band in BANDS:
        seeds = [sample.index for sample in reserved_samples(SeedSource(), band, 3)]
        assert seeds == [band.first, band.first + 1, band.first + 2]
    taken = {UNSEEN.first, UNSEEN.first + 2, 7}
    seeds = [sample.index for sample in reserved_samples(SeedSource(), UNSEEN, 3, taken)]
    assert seeds == [10_001, 10_003, 10_004]


def test_a_folder_is_dealt_so_that_no_image_serves_two_purposes() -> None:
    assert numbers(folder(12), []) == [[0, 5, 10], [1, 6, 11], [2, 7], [3, 8], [4, 9]]
    assert numbers(folder(12), [0, 4, 5, 11]) == [[1, 8], [2, 9], [3, 10], [6], [7]]
    assert numbers(folder(12), [], count=2) == [[0, 5], [1, 6], [2, 7], [3, 8], [4, 9]]


def test_as_many_images_as_bands_are_enough_beside_the_targets() -> None:
    for target in range(6):
        dealt = [number for band in numbers(folder(6), [target]) for number in band]
        assert sorted(dealt) == sorted({*range(6)} - {target})


@pytest.mark.parametrize(("band", "count"), [(UNSEEN, 1), (PRESERVED, 4), (MOMENTS, 5)])
def test_a_folder_with_too_few_images(band: Band, count: int) -> None:
    message = (
        f"^samples {band.purpose}: got none of {count}, expected at least 5 beside the targets; "
        "add images to the folder$"
    )
    with pytest.raises(GeneratorError, match=message):
        reserved_samples(folder(count), band, 1, [0])


def test_random_samples_go_through_a_folder_again_and_again() -> None:
    chosen = random_samples(folder(3), [0, 4, 3_000_002], varied=True)
    assert [sample.label for sample in chosen] == ["0.png", "1.png", "2.png"]
    assert [sample.index for sample in random_samples(SeedSource(), [5, 2])] == [5, 2]


def test_what_a_target_is_a_variant_of() -> None:
    truncated = StyleSample(seed=10_001, truncation=0.5)
    assert (truncated.index, SeedSource().index_of(truncated)) == (None, 10_001)
    picture = ToySample(label="2.png", picture="/in/2.png")
    assert (picture.index, folder(3).index_of(picture)) == (None, 2)
    assert SeedSource().index_of(picture) is None


def test_too_many_are_refused_without_making_any() -> None:
    check_reserved(SeedSource(), UNSEEN, UNSEEN.count)
    for count, taken in ((UNSEEN.count + 1, []), (UNSEEN.count, [UNSEEN.first])):
        with pytest.raises(RegenError, match=f"^samples to measure a rewrite on: got {count}, exp"):
            check_reserved(SeedSource(), UNSEEN, count, taken)
    check_reserved(folder(5), MOMENTS, 10**9)  # there are fewer, which is enough
    check_reserved(folder(4), MOMENTS, 0)
    with pytest.raises(GeneratorError, match="got none of 4, expected at least 5 beside the tar"):
        check_reserved(folder(4), MOMENTS, 1)


def test_what_a_family_is_given_is_joined_and_none_where_it_is_given_nothing() -> None:
    filler = lively(people=True)
    samples = filler.source().samples([1, 2, 3])
    given = shown_inputs(filler, filler.batches(samples, 2))
    whole = filler.shown_input(filler.latents(samples))
    assert given is not None and torch.equal(given, whole)
    generator = seven_convolutions()
    more = iter([generator.seed_latents([1]), generator.seed_latents([2])])
    assert shown_inputs(generator, more) is None
    assert len(list(more)) == 1  # none but the first was asked for
