"""Any value for any option: success, or exit code 2 with one line that a terminal can show.

Options are taken from the commands themselves, so that a new one is tried as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regen.cli import main
from regen.cli.values import Count, Layer, Number, SeedRange

# What each command needs to run; those that would train find no images.
BASES = {
    "rewrite": ("--edits", "edits.json", "--steps", "1", "--preserve", "0", "--seeds", "1"),
    "edit": ("none", "--no-browser"),
    "generate": ("--generator", "g.safetensors", "--seeds", "1"),
    "project": ("cat.png", "--generator", "g.safetensors", "--projector", "p.safetensors"),
    "train-generator": ("none", "--size", "16"),
    "train-projector": ("--generator", "g.safetensors", "--kimg", "0.002", "--batch", "2"),
    "convert": ("g.safetensors", "made.pkl"),
    "info": ("g.safetensors",),
    "examples": (),
    "doctor": (),
}
NUMBERS = (
    "-1",
    "0",
    "-0.0",
    "1",
    "0.5",
    "1e308",
    "-1e308",
    "1e999",
    "inf",
    "-inf",
    "nan",
    "1e-320",
)
NUMBERS += ("9" * 5000, f"1{'0' * 400}", str(2**63), "0x10", "1_0", "\u0663", "1.5e", "NaN", "-")
WORDS = ("", " ", "x", "x" * 300, "x" * 5000, "a/" * 3000, "x\x1b[2J", "x\u202ey", "two\nlines")
WORDS += ("caf\udce9", "*", "--", "=", "5-", "1,2-", "r:inf", "g.safetensors:nan", "null")
PATHS = ("cat.png", "edits.json", "g.safetensors", "p.safetensors", "none/none", "cat.png/x")
PATHS += (
    "/proc/self/mem",
    "/dev/null",
    "/dev/zero",
    "data:image/png;base64,AAAA",
    "long/" + "x" * 256,
)
FOLDERS = (".", "..", "/")
LONGEST = 1500


def options(verb: str) -> Iterator[click.Option]:
    """The options of a command that take a value."""
    for option in main.commands[verb].params:
        if isinstance(option, click.Option) and not option.is_flag:
            yield option


def is_output(option: click.Option) -> bool:
    return option.name == "output"


CASES = [
    (verb, option.opts[-1], value)
    for verb in main.commands
    for option in options(verb)
    for value in (*NUMBERS, *WORDS, *PATHS, *(() if is_output(option) else FOLDERS))
]
ARGUMENTS = [
    (verb, value)
    for verb in ("project", "train-generator", "info", "convert")
    for value in (*NUMBERS, *WORDS, *PATHS, *FOLDERS)
]


def check(result: Any) -> None:
    """What was printed is one message of one line, or the results."""
    assert result.exit_code in (0, 2)
    lines = result.stderr.splitlines()
    assert all(line.isprintable() for line in [*lines, *result.stdout.splitlines()])
    errors = [line for line in lines if line.startswith("Error: ")]
    assert len(errors) == (result.exit_code == 2)
    if errors:
        assert lines[-1] == errors[0] and 10 < len(errors[0]) < LONGEST


def test_every_command_has_a_base() -> None:
    assert set(BASES) == set(main.commands)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(case=st.sampled_from(CASES))
def test_any_value_for_any_option(world: Any, case: tuple[str, str, str]) -> None:
    verb, name, value = case
    output = () if verb in ("convert", "info", "doctor") else ("-o", "out")
    check(world.run(verb, *BASES[verb], *output, name, value))


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(case=st.sampled_from(ARGUMENTS))
def test_any_value_for_any_argument(world: Any, case: tuple[str, str]) -> None:
    verb, value = case
    more = {"convert": ("made.pkl",), "info": (), "train-generator": ("--size", "16", "--check")}
    words = more.get(verb, ("--generator", "g.safetensors", "--projector", "p.safetensors"))
    check(
        world.run(verb, *words[:0], "--", value)
        if verb == "info"
        else world.run(
            verb,
            *(word for word in words if verb != "convert"),
            *(("-o", "out") if verb == "project" else ()),
            "--",
            value,
            *(words if verb == "convert" else ()),
        )
    )


@pytest.mark.parametrize("verb", main.commands)
def test_no_number_is_infinite_or_not_a_number(verb: str) -> None:
    for option in options(verb):
        kind = option.type
        if isinstance(kind, (click.types.FloatParamType, click.types.IntParamType)):
            assert isinstance(kind, (Number, Count, Layer, click.IntRange)), option.name
            for value in ("inf", "-inf", "nan", "1e999", "-1e999", "1" + "0" * 5000):
                with pytest.raises(click.BadParameter):
                    kind.convert(value, option, None)
        if isinstance(kind, SeedRange):
            for value in ("9" * 5000, "0-" + "9" * 19, "nan", "0-99999999"):
                with pytest.raises(click.BadParameter):
                    kind.convert(value, option, None)


def test_a_name_in_another_encoding_goes_through(world: Any) -> None:
    """A file name with the byte E9, as an old archive leaves it."""
    name = "caf\udce9.png"
    (world.folder / "cat.png").rename(world.folder / name)
    words = ("--generator", "g.safetensors", "--projector", "p.safetensors", "-o", "out")
    result = world.run("project", name, *words)
    assert result.exit_code == 0 and "out/caf\\udce9.png" in result.stdout
    assert world.left() == ["caf\udce9.features.safetensors", "caf\udce9.png", "metrics.json"]
    assert world.run("info", "out/caf\udce9.features.safetensors").exit_code == 0
    world.edits(lambda content: content["edits"][0].update(exemplar=Path(name).name))
    check(world.run("rewrite", *BASES["rewrite"], "-o", "made"))


def test_a_long_name_gives_a_shorter_one(world: Any) -> None:
    names = ["é" * 120 + ".png", "é" * 119 + "e.png", "x" * 245 + ".png"]
    for name in names:
        (world.folder / name).write_bytes((world.folder / "cat.png").read_bytes())
    words = ("--generator", "g.safetensors", "--projector", "p.safetensors", "-o", "out")
    assert world.run("project", *names, *words).exit_code == 0
    pngs = [name for name in world.left() if name.endswith(".png")]
    assert pngs == sorted(["x" * 200 + ".png", "é" * 100 + ".png", "é" * 100 + "-2.png"])
