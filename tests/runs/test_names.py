"""`regen.runs.names`: no name for two files."""

from __future__ import annotations

from regen.runs.names import distinct_names


def test_names_stay_as_they_are_where_they_differ() -> None:
    assert distinct_names(["b", "a", "a-2"]) == ["b", "a", "a-2"]


def test_numbers_are_free_ones() -> None:
    assert distinct_names(["a", "A", "a-2", "a"]) == ["a", "A-2", "a-2-2", "a-3"]


def test_refused_names_are_not_given() -> None:
    refused = {"grid", "grid-2"}
    assert distinct_names(["grid", "eye"], refused.__contains__) == ["grid-3", "eye"]
