"""Types of the values that options take: numbers, seeds, layers, and rewrites with a strength."""

from __future__ import annotations

import math
from os.path import exists  # unlike Path.exists, it takes names that are too long for the system
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from regen.seeds import LARGEST_SEED

if TYPE_CHECKING:
    SeedsType = click.ParamType[tuple[int, ...]]
    SeedOrFileType = click.ParamType[int | str]
    StrengthType = click.ParamType[tuple[Path, float]]
else:  # before click 8.5 no class took types
    SeedsType = StrengthType = SeedOrFileType = click.ParamType

MOST_SEEDS = 100_000
LARGEST_COUNT = 10**9
_LONGEST = 100  # characters of a value that a message shows
_MOST_DIGITS = 20  # of a number in a list of seeds; int() refuses thousands of them


class FilePath(click.Path):
    """The path of a file or folder; an empty text, of an unset variable for instance, is none.

    Whether it exists, and is whole, is checked by the library.

    Args:
        files: Whether it may be that of a file.
        folders: Whether it may be that of a folder.
    """

    def __init__(self, *, files: bool = True, folders: bool = True) -> None:
        super().__init__(file_okay=files, dir_okay=folders, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if value == "":
            remedy = "; write . for this folder" if self.dir_okay else ""
            self.fail(f"the path is empty{remedy}", param, ctx)
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A real number in a range, and not infinite or "nan", which click lets through."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{_shown(str(value))} is not a finite number.", param, ctx)
        return number


FROM_0, ABOVE_0, SHARE = Number(0), Number(0, min_open=True), Number(0, 1)


class Count(click.IntRange):
    """A whole number from `min`, and not one that nobody can wait for or has memory for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        number = int(super().convert(value, param, ctx))
        if number > LARGEST_COUNT:
            self.fail(f"{_shown(str(value))} is more than {LARGEST_COUNT}.", param, ctx)
        return number


class Layer(click.IntRange):
    """A convolution, counted from 1, or "auto"."""

    def __init__(self) -> None:
        super().__init__(1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or "auto"."""
        if value == "auto":
            return value
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            self.fail(f"{error.message.rstrip('.')}, or auto.", param, ctx)


class SeedRange(SeedsType):
    """Seeds as people write them: 7, 0-63, or 1,5,7-9. The value is a tuple of integers."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The seeds in the order given, each once."""
        if isinstance(value, tuple):
            return value
        ranges = [self._range(part.strip(), value, param, ctx) for part in value.split(",")]
        if sum(map(len, ranges)) > MOST_SEEDS:
            self.fail(f"{_shown(value)} are more than {MOST_SEEDS} seeds", param, ctx)
        return tuple(dict.fromkeys(seed for seeds in ranges for seed in seeds))

    def _range(
        self, part: str, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        first, dash, last = part.partition("-")
        numbers = [first.strip(), last.strip()] if dash else [first]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            self.fail(f"{_shown(value)} is not a list of seeds like 7, 0-63 or 1,5,7-9", param, ctx)
        if longest := [number for number in numbers if len(number) > _MOST_DIGITS]:
            self._refuse(f"a number of {len(longest[0])} digits", param, ctx)
        low, high = int(numbers[0]), int(numbers[-1])
        if high < low:
            self.fail(f"{_shown(part)} counts downwards; write {high}-{low}", param, ctx)
        if high > LARGEST_SEED:
            self._refuse(high, param, ctx)
        return range(low, high + 1)

    def _refuse(
        self, number: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> NoReturn:
        self.fail(f"{number} is not a seed; the largest is {LARGEST_SEED}", param, ctx)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


class SeedOrFile(SeedOrFileType):
    """A seed, or the path of a file; a file that is named like a number has to be written ./7."""

    name = "seed or file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The seed as a number, anything else as a path."""
        if isinstance(value, int) or not (value.isascii() and value.isdigit()):
            return value  # type: ignore[no-any-return]  # what was converted before, or a text
        if len(value) > _MOST_DIGITS or int(value) > LARGEST_SEED:
            self.fail(f"{_shown(value)} is not a seed; the largest is {LARGEST_SEED}", param, ctx)
        return int(value)


class RewriteStrength(StrengthType):
    """A rewrite file with an optional strength, R or R:0.5. The value is (path, strength).

    Only the text after the last colon can be a strength, and only if no file has the whole name,
    so drive letters and colons in file names do no harm.
    """

    name = "rewrite[:strength]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Path, float]:
        """The path and the strength, 1 where none is given."""
        if isinstance(value, tuple):
            return value
        if not value:
            self.fail("the path is empty", param, ctx)
        path, colon, text = value.rpartition(":")
        drive = len(path) == 1 and path.isalpha() and not exists(path)
        if not colon or drive or exists(value):
            return Path(value), 1.0
        try:
            strength = float(text)
        except ValueError:
            if not exists(path):
                return Path(value), 1.0
            self.fail(f"{text!r} after the colon of {value!r} is not a number", param, ctx)
        if not math.isfinite(strength):
            self.fail(f"strength {text} of {path} is not finite", param, ctx)
        return Path(path), strength
