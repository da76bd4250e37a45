"""Which numbers of a source are reserved for what, so that no sample serves two purposes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """Consecutive numbers of a source with one purpose.

    Attributes:
        first: The first of them.
        count: How many there are.
        purpose: What they are for.
    """

    first: int
    count: int
    purpose: str


UNSEEN = Band(10_000, 10_000, "samples that a report shows and measures, never targets")
PRESERVED = Band(1_000_000, 1_000_000, "samples that a rewrite must leave as they are")
MOMENTS = Band(2_000_000, 1_000_000, "samples whose keys give second moments")
BANDS = (UNSEEN, PRESERVED, MOMENTS)
