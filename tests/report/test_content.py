"""What a report is about, and its rows of images."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from regen.errors import RegenError
from regen.report import image_rows
from tests.helpers.reports import small_report


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["seed 1"]}, "report: before: got [3, 3, 16, 16], expected [1, 3, 16, 16]"),
        (
            {"oracle": torch.zeros(3, 3, 8, 8)},
            "report: oracle: got [3, 3, 8, 8], expected [3, 3, 16, 16]",
        ),
        (
            {"similarity": torch.zeros(2, 1, 8, 8)},
            "report: similarity: got [2, 1, 8, 8], expected [3, 1, 8, 8]",
        ),
    ],
)
def test_images_that_do_not_belong_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(RegenError) as error:
        dataclasses.replace(small_report(), **change)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_what_a_generator_was_given_is_the_first_row() -> None:
    given = torch.rand(3, 3, 16, 16)
    rows = image_rows(dataclasses.replace(small_report(), inputs=given), columns=2)
    assert [row.title for row in rows[:3]] == ["input", "before", "after"]
    assert torch.equal(rows[0].images, given[:2])
    assert image_rows(small_report(), columns=2)[0].title == "before"
