from __future__ import annotations

from itertools import pairwise

import pytest

from regen.errors import RegenError
from regen.seeds import BANDS, EXPERIMENTS, UNSEEN, USUAL, Band

ALL = sorted([USUAL, EXPERIMENTS, *BANDS], key=lambda band: band.first)


def test_bands_are_disjoint() -> None:
    for one, other in pairwise(ALL):
        assert one.last < other.first, (one.purpose, other.purpose)


def test_bands_can_be_seeds_and_say_what_they_are_for() -> None:
    assert all(0 <= band.first <= band.last < 2**32 for band in ALL)
    assert len({band.purpose for band in ALL}) == len(ALL)


def test_bands_have_not_moved() -> None:
    """Results of earlier versions hold only for these numbers."""
    firsts = [band.first for band in ALL]
    assert firsts == [0, 10_000, 20_000, 30_000, 100_000, 1_000_000, 2_000_000]


def test_indices_are_taken_in_order_and_some_are_passed_over() -> None:
    assert UNSEEN.take(3) == [10_000, 10_001, 10_002]
    assert UNSEEN.take(3, without=(10_001, 10_001, 5)) == [10_000, 10_002, 10_003]
    assert UNSEEN.take(0) == []
    assert 10_000 in UNSEEN and UNSEEN.last in UNSEEN
    assert 9_999 not in UNSEEN and UNSEEN.last + 1 not in UNSEEN


def test_a_band_gives_no_more_than_it_has() -> None:
    band = Band(4, 3, "for a test")
    assert band.take(3, without=(1, 7)) == [4, 5, 6]
    assert band.take(2, without=(5,)) == [4, 6]
    for count, without, most in ((4, (), 3), (3, (5,), 2)):
        for ask in (band.take, band.check):
            with pytest.raises(RegenError) as raised:
                ask(count, without=without)
            assert str(raised.value) == f"samples for a test: got {count}, expected at most {most}"
