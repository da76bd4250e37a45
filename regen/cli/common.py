"""What all commands share: how errors are shown, what values look like, and options they all have.

A command parses, calls one library function, and prints. Nothing here or in a command's module
imports torch before the command runs, so help and mistakes in typing are answered at once.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from regen.allocator import keep_freed_memory
from regen.errors import RegenError, printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = TypeVar("Command", bound=Callable[..., Any])

BAD_INPUT, INTERRUPTED = 2, 130
BACKBONES = ("squeeze", "alex", "vgg")
MOST_SEEDS = 100_000
LARGEST_SEED = 2**32 - 1


class Verbs(click.Group):
    """A group of commands that ends with one message where the user can mend what is wrong.

    A `RegenError` gives exit code 2, Ctrl-C gives 130 and says what was kept. Anything else is a
    bug and keeps its traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except RegenError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt as interrupt:
            if os.environ.get("RANK", "0") == "0":  # of several processes, one says it
                kept = str(interrupt) or "nothing was kept"
                click.echo(f"\nInterrupted: {kept}", err=True)
            ctx.exit(INTERRUPTED)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line, without the place in the code that warned."""
    click.echo(f"Note: {printable(str(message))}", err=True)


class SeedRange(click.ParamType):
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
            self.fail(f"{value!r} are more than {MOST_SEEDS} seeds", param, ctx)
        return tuple(dict.fromkeys(seed for seeds in ranges for seed in seeds))

    def _range(
        self, part: str, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> range:
        first, dash, last = part.partition("-")
        numbers = [first.strip(), last.strip()] if dash else [first]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            self.fail(f"{value!r} is not a list of seeds like 7, 0-63 or 1,5,7-9", param, ctx)
        low, high = int(numbers[0]), int(numbers[-1])
        if high < low:
            self.fail(f"{part!r} counts downwards; write {high}-{low}", param, ctx)
        if high > LARGEST_SEED:
            self.fail(f"{high} is no seed; the largest is {LARGEST_SEED}", param, ctx)
        return range(low, high + 1)


class RewriteStrength(click.ParamType):
    """A rewrite file with an optional strength, R or R:0.5. The value is (path, strength).

    Only what stands behind the last colon can be a strength, and only if no file has the whole
    name, so drive letters and colons in names do no harm.
    """

    name = "rewrite[:strength]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Path, float]:
        """The path and the strength, 1 where none is given."""
        if isinstance(value, tuple):
            return value
        path, colon, text = value.rpartition(":")
        drive = len(path) == 1 and path.isalpha() and not Path(path).exists()
        if not colon or drive or Path(value).exists():
            return Path(value), 1.0
        try:
            strength = float(text)
        except ValueError:
            if not Path(path).exists():
                return Path(value), 1.0
            self.fail(f"{text!r} behind the colon of {value!r} is not a number", param, ctx)
        if not math.isfinite(strength):
            self.fail(f"strength {text} of {path} is not finite", param, ctx)
        return Path(path), strength


class Setting(click.Option):
    """An option for one field of a settings dataclass; where it is not given, it is None.

    The default is that of the dataclass, which is looked up, and its module imported, only when
    the command's help is shown.

    Args:
        default_from: Gives the dataclass; the option's Python name is a field of it.
    """

    def __init__(self, *args: Any, default_from: Callable[[], object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default_from = default_from

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help, with the default at the end."""
        record = super().get_help_record(ctx)
        if record is None or self.name is None:
            return record
        default = getattr(self.default_from(), self.name)
        word = {True: "yes", False: "no"}.get(default) if isinstance(default, bool) else default
        return record[0], f"{record[1]}  [default: {word}]"


def given(options: Mapping[str, Any], settings: type[DataclassInstance]) -> dict[str, Any]:
    """Those of a command's options that were given and are fields of a settings dataclass."""
    names = {field.name for field in fields(settings)}
    return {name: v for name, v in options.items() if name in names and v is not None}


def computing(command: Command) -> Command:
    """Add --device and --threads; the command receives a torch device's name as `device`."""
    device = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        show_default=True,
        callback=_device,
        help="Where to compute; auto is cuda where torch finds it, else cpu.",
    )
    threads = click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        expose_value=False,
        callback=_threads,
        help="Processor threads to use, by default as many as torch finds good.",
    )
    return device(threads(command))


def seed_option(**attributes: Any) -> Callable[[Command], Command]:
    """--seed, which seeds torch before the command runs."""
    return click.option(
        "--seed",
        type=click.IntRange(0, LARGEST_SEED),
        default=0,
        show_default=True,
        callback=_seed,
        help="Source of all randomness.",
        **attributes,
    )


def rewrites_option(command: Command) -> Command:
    """--rewrite, any number of times; the command receives pairs of path and strength."""
    return click.option(
        "--rewrite",
        "rewrites",
        metavar="R[:STRENGTH]",
        type=RewriteStrength(),
        multiple=True,
        help="A rewrite to apply, or the run folder that holds it; strength 1 unless given. "
        "Several are summed.",
    )(command)


def folder_option(**attributes: Any) -> Callable[[Command], Command]:
    """-o DIR."""
    kind = click.Path(file_okay=False, path_type=Path)
    attributes.setdefault("help", "Folder for the results, made where there is none.")
    return click.option("-o", "--output", type=kind, metavar="DIR", **attributes)


def file_type() -> click.Path:
    """A file to read; whether it is there and sound is for the library to say."""
    return click.Path(dir_okay=False, path_type=Path)


def _device(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if ctx.resilient_parsing:
        return "cpu"
    keep_freed_memory()
    _check_operators()
    if value == "cpu":
        return "cpu"
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if value == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there[value]:
        raise RegenError(
            "--device", got=f"{value}, which torch does not find here", expected="auto or cpu"
        )
    return value


def _check_operators() -> None:
    """Say at once if the operators that the environment asks for are not there."""
    if not os.environ.get("STYLEGAN2_OPS"):
        return
    from stylegan2_ops import implementation

    try:
        implementation()
    except (RuntimeError, ValueError) as error:
        raise RegenError(f"STYLEGAN2_OPS: {error}", remedy="or unset STYLEGAN2_OPS") from error


def _seed(ctx: click.Context, param: click.Parameter, value: int) -> int:
    if not ctx.resilient_parsing:
        import torch

        torch.manual_seed(value)
    return value


def _threads(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        import torch

        torch.set_num_threads(value)
