"""`regen.edits.validation`: JSON as file models read it, and messages without pydantic's words."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from regen.edits.validation import (
    Expected,
    Integer1,
    Number,
    ObjectModel,
    OneOf,
    ReadAs,
    Seed,
    WeightFrom0,
    WeightOfRegion,
    validated,
)
from regen.errors import EditsError, RegionError

Text = Annotated[str, Field(min_length=1), Expected("text")]
Words = Annotated[Literal["image", "feature"], OneOf()]
SEED = "an integer from 0 to 4294967295"
Points = Annotated[list[Number], Field(min_length=1), Expected("a list of points")]


class Thing(ObjectModel):
    """An object with two keys that it must have and two that it may have."""

    seed: Seed
    region: Text
    truncation: Number | None = None
    json_schema: str | None = Field(default=None, alias="$schema")


def read(kind, value, folder=Path("/nowhere")):
    return validated(kind, value, file="e.json", folder=folder)


def message(kind, value, folder=Path("/nowhere")):
    with pytest.raises(EditsError) as caught:
        read(kind, value, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Seed, 3),
        (Seed, 0),
        (Seed, 2**32 - 1),
        (Number, 3),
        (Number, -0.5),
        (WeightFrom0, 0),
        (WeightOfRegion, 1e-6),
        (Text, "cat.jpg"),
        (Words, "image"),
        (Points, [1, 2.5]),
    ],
)
def test_values_of_the_right_kind(kind, value):
    assert read(kind, value) == value


def test_an_integer_is_a_number():
    assert isinstance(read(Number, 3), float)


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (Seed, 1.0, f"got 1.0, expected {SEED}"),
        (Seed, True, f"got true, expected {SEED}"),
        (Seed, "3", f'got "3", expected {SEED}'),
        (Seed, -1, f"got -1, expected {SEED}"),
        (Integer1, 0, f"got 0, expected an integer from 1 to {2**63 - 1}"),
        (Seed, 2**32, f"got {2**32}, expected {SEED}"),
        (Seed, 2**63, f"got {2**63}, expected {SEED}"),
        (Integer1, 2**63, f"got {2**63}, expected an integer from 1 to {2**63 - 1}"),
        (Number, None, "got null, expected a number"),
        (Number, False, "got false, expected a number"),
        (Number, float("nan"), "got NaN, expected a number"),
        (WeightFrom0, -0.5, "got -0.5, expected a number from 0 to 1e+06"),
        (WeightOfRegion, 0, "got 0, expected a number from 1e-06 to 1e+06"),
        (WeightFrom0, float("inf"), "got Infinity, expected a number from 0 to 1e+06"),
        (Number, 10**400, f"got 1{'0' * 56}..., expected a number"),
        (Text, "", 'got "", expected text'),
        (Text, 3, "got 3, expected text"),
        (Points, [], "got [], expected a list of points"),
        (Points, {}, "got {}, expected a list of points"),
        (Points, "12", 'got "12", expected a list of points'),
        (
            Words,
            "imgae",
            "got \"imgae\", expected 'image' or 'feature'; did you mean 'image'?",
        ),
        (Words, 3, "got 3, expected 'image' or 'feature'"),
        (Words, ["image"], "got [\"image\"], expected 'image' or 'feature'; did you mean 'image'?"),
    ],
)
def test_values_of_another_kind_are_refused(kind, value, problem):
    assert message(kind, value) == f"e.json: {problem}"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"sead": 1}, "unknown key 'sead'; did you mean 'seed'?"),
        ({"seed": 1, "xyz": 1}, "unknown key 'xyz'; known are seed, region, truncation, $schema"),
        ({"seed": 1}, "key 'region' is missing"),
        ([1], "got [1], expected an object {...}"),
        ("text", 'got "text", expected an object {...}'),
        ("x" * 99, f'got "{"x" * 56}..., expected an object {{...}}'),
        ({"x" * 5_000_000: 1}, f"unknown key '{'x' * 57}...'; known are seed, region, trunc"),
        ({f"k{i}": 1 for i in range(20_000)}, "unknown key 'k0'; known are seed, region, trunc"),
    ],
)
def test_objects_have_the_keys_they_must_have_and_no_others(value, problem):
    assert message(Thing, value).startswith(f"e.json: {problem}")


def test_a_path_leads_to_what_is_wrong():
    class Outer(ObjectModel):
        """Things in a list."""

        things: Annotated[list[Thing], Expected("a list of things")]

    good = {"seed": 1, "region": "x"}
    assert message(Outer, {"things": 3}) == "e.json: things: got 3, expected a list of things"
    wrong = {"things": [good, {**good, "truncation": "0.7"}]}
    assert message(Outer, wrong) == 'e.json: things[1].truncation: got "0.7", expected a number'
    wrong = {"things": [good, {"seed": 1}]}
    assert message(Outer, wrong) == "e.json: things[1]: key 'region' is missing"
    wrong = {"things": [{**good, "sed": 1}]}
    assert message(Outer, wrong) == "e.json: things[0]: unknown key 'sed'; did you mean 'seed'?"


def test_null_is_not_said():
    assert read(Thing, {"seed": 1, "region": "x", "truncation": None}).truncation is None


def test_a_field_becomes_what_is_made_of_it(tmp_path):
    doubled = Annotated[int, ReadAs(Seed, lambda number, file: (2 * number, file.folder))]
    assert read(doubled, 4, tmp_path) == (8, tmp_path)
    assert message(doubled, -4) == f"e.json: got -4, expected {SEED}"


def test_an_error_of_the_maker_is_told_at_its_place():
    def fail(value, folder):
        raise RegionError("box", got=value, expected="a larger one", remedy="enlarge it")

    class Outer(ObjectModel):
        """One field named as the error, one not."""

        box: Annotated[int, ReadAs(Seed, fail)] | None = None
        place: Annotated[int, ReadAs(Seed, fail)] | None = None

    found = "got 1, expected a larger one; enlarge it"
    assert message(Outer, {"box": 1}) == f"e.json: box: {found}"
    assert message(Outer, {"place": 1}) == f"e.json: place: box: {found}"
