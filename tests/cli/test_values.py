"""`regen.cli.values`: what options take, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from regen.cli import main
from regen.cli.values import Layer, Number, RewriteStrength, SeedOrFile, SeedRange


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", (7,)),
        ("0-3", (0, 1, 2, 3)),
        ("1,5,7-9", (1, 5, 7, 8, 9)),
        (" 9 , 2 - 3", (9, 2, 3)),
        ("3,1-4,3", (3, 1, 2, 4)),
        ("4294967295", (4294967295,)),
    ],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert SeedRange().convert(text, None, None) == seeds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("1,,2", "'1,,2' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("-3", "'-3' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("1.5", "'1.5' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("0-9-20", "'0-9-20' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("٣", "'٣' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("9-3", "'9-3' counts downwards; write 3-9"),
        ("4294967296", "4294967296 is not a seed; the largest is 4294967295"),
        ("0-4000000000", "'0-4000000000' are more than 100000 seeds"),
        ("9" * 5000, "a number of 5000 digits is not a seed; the largest is 4294967295"),
    ],
)
def test_what_is_not_a_list_of_seeds(text: str, problem: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        SeedRange().convert(text, None, None)
    assert caught.value.message == problem


@pytest.mark.parametrize(
    ("text", "path", "strength"),
    [
        ("r.safetensors", "r.safetensors", 1.0),
        ("r.safetensors:0.5", "r.safetensors", 0.5),
        ("r.safetensors:-1e-1", "r.safetensors", -0.1),
        (r"C:\runs\r.safetensors", r"C:\runs\r.safetensors", 1.0),
        (r"C:\runs\r.safetensors:2", r"C:\runs\r.safetensors", 2.0),
        ("C:5", "C:5", 1.0),
        ("a:b:r.safetensors", "a:b:r.safetensors", 1.0),
        ("a:b:r.safetensors:3", "a:b:r.safetensors", 3.0),
        ("missing:file", "missing:file", 1.0),
        ("r" * 5000, "r" * 5000, 1.0),
    ],
)
def test_strengths(text: str, path: str, strength: float) -> None:
    assert RewriteStrength().convert(text, None, None) == (Path(path), strength)


def test_a_file_whose_name_ends_like_a_strength(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r:0.5").touch()
    assert RewriteStrength().convert("r:0.5", None, None) == (Path("r:0.5"), 1.0)
    assert RewriteStrength().convert("r:0.5:0.25", None, None) == (Path("r:0.5"), 0.25)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("r:strong", "'strong' after the colon of 'r:strong' is not a number"),
        ("r:", "'' after the colon of 'r:' is not a number"),
        ("r:nan", "strength nan of r is not finite"),
        ("r:inf", "strength inf of r is not finite"),
    ],
)
def test_what_is_not_a_strength(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r").touch()
    with pytest.raises(click.BadParameter) as caught:
        RewriteStrength().convert(text, None, None)
    assert caught.value.message == problem


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999"])
def test_numbers_are_finite(text: str) -> None:
    message = f"^'?{text}'? is not (a finite number|in the range)"
    with pytest.raises(click.BadParameter, match=message):
        Number(0).convert(text, None, None)
    assert Number(0).convert("2.5", None, None) == 2.5


@pytest.mark.parametrize("verb", list(main.commands))
def test_no_option_takes_numbers_that_are_not_finite(verb: str) -> None:
    for option in main.commands[verb].params:
        assert type(option.type) not in (click.types.FloatParamType, click.FloatRange), option.name


def test_layers() -> None:
    assert Layer().convert("7", None, None) == 7
    assert Layer().convert("auto", None, None) == "auto"
    with pytest.raises(click.BadParameter, match=r"^0 is not in the range x>=1, or auto\.$"):
        Layer().convert("0", None, None)


def test_a_seed_or_a_file() -> None:
    for text, value in (("7", 7), ("cat.jpg", "cat.jpg"), ("./7", "./7"), ("-1", "-1"), ("", "")):
        assert SeedOrFile().convert(text, None, None) == value
    assert SeedOrFile().convert(7, None, None) == 7
    for text in ("4294967296", "9" * 5000):
        with pytest.raises(click.BadParameter, match="is not a seed; the largest is 4294967295"):
            SeedOrFile().convert(text, None, None)
