"""What all commands share: how errors and help are shown, and common options.

A command parses, calls one library function, and prints. Nothing here or in a command's module
imports torch before the command runs, so that help and usage errors appear at once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from regen.allocator import keep_freed_memory
from regen.cli.torch_import import import_torch
from regen.cli.values import LARGEST_SEED, RewriteStrength
from regen.errors import RegenError, printable
from regen.training.environment import is_first
from regen.training.interrupt import every_signal_interrupts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Command = TypeVar("Command", bound=Callable[..., Any])

BAD_INPUT, INTERRUPTED = 2, 130
_LONGEST_MESSAGE = 1000
BACKBONES = ("squeeze", "alex", "vgg")


class Verbs(click.Group):
    """A group of commands that ends with one message where the user can correct what is wrong.

    A `RegenError` gives exit code 2. Ctrl-C, SIGTERM and SIGHUP give 130 and a message that says
    what was kept. A full disk that nobody noticed before, behind standard output for instance,
    gives 2 as well. Anything else is a bug and keeps its traceback.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command."""
        with _printable_usage_errors():
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with warnings.catch_warnings(), every_signal_interrupts(), _printable_usage_errors():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except RegenError as error:
            click.echo(f"Error: {_shortened(str(error))}", err=True)
            ctx.exit(BAD_INPUT)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                name = str(error.filename)
                shown = f"{name[:60]}..." if len(name) > 60 else name
                click.echo(printable(f"Error: {shown} is too long for a name of a file"), err=True)
                ctx.exit(BAD_INPUT)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            sys.stdout = io.StringIO()  # what is pending would fail again at the end
            with suppress(OSError):
                where = f"{error.filename}" if error.filename else "the output"
                click.echo(f"Error: cannot write {where}: {error.strerror}", err=True)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt as interrupt:
            if is_first():  # only one of several processes prints it
                kept = str(interrupt) or "nothing was kept"
                with suppress(OSError):  # a terminal that was closed takes no message
                    click.echo(f"\nInterrupted: {kept}", err=True)
            ctx.exit(INTERRUPTED)


class Grouped(click.Command):
    """A command whose help lists its options under headings.

    Args:
        headings: The heading of each group by the Python name of its first option. The others
            follow in the order in which they are declared.
    """

    def __init__(self, *args: Any, headings: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups."""
        groups: dict[str, list[tuple[str, str]]] = {}
        heading = "Options"
        for option in self.get_params(ctx):
            if not isinstance(option, click.Option):
                continue
            heading = self.headings.get(option.name or "", heading)
            heading = "Help" if "--help" in option.opts else heading
            record = option.get_help_record(ctx)
            if record is not None:
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


@contextmanager
def _printable_usage_errors() -> Iterator[None]:
    """What click says of a wrong option quotes it, whatever is in it and however long it is."""
    try:
        yield
    except click.UsageError as error:
        vars(error)["message"] = _in_one_line(error.message)  # click declares it to be final
        raise


def _in_one_line(text: str) -> str:
    return printable(_shortened(text))


def _shortened(text: str) -> str:
    """A message without its middle where it quotes something long; the remedy is at its end."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return f"{text[: _LONGEST_MESSAGE // 2]}...{text[-_LONGEST_MESSAGE // 4 :]}"


def say(line: str) -> None:
    """Print a line; names of files in it can do nothing to a terminal."""
    click.echo(printable(line))


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line, without the line of code that warned."""
    click.echo(f"Note: {_in_one_line(str(message))}", err=True)


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
        """The option and its help, with the default at the end, where there is one."""
        record = super().get_help_record(ctx)
        if record is None or self.name is None:
            return record
        default = getattr(self.default_from(), self.name)
        if default is None:  # it depends on other settings; the help says how
            return record
        word = f"{default:g}" if isinstance(default, float) else default
        if isinstance(default, bool):
            word = "yes" if default else "no"
        text, _, more = record[1].partition("  [")  # the range of a number, in brackets
        return record[0], f"{text}  [default: {word}{f'; {more}' if more else ']'}"


def given(options: Mapping[str, Any], settings: type[DataclassInstance]) -> dict[str, Any]:
    """The options of a command that were given and are fields of a settings dataclass."""
    names = {field.name for field in fields(settings)}
    return {name: v for name, v in options.items() if name in names and v is not None}


def computing(command: Command) -> Command:
    """Add --device and --threads; the command receives the name of a torch device as `device`."""
    device = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        show_default=True,
        callback=_device,
        help="Where to compute. auto is cuda where torch finds a GPU, and cpu otherwise.",
    )
    threads = click.option(
        "--threads",
        metavar="N",
        type=click.IntRange(1, 1024),
        expose_value=False,
        callback=_threads,
        help="Number of processor threads, by default chosen by torch. Beside other jobs they "
        "sleep instead of spinning while they wait for each other.",
    )
    return device(threads(command))


def seed_option(**attributes: Any) -> Callable[[Command], Command]:
    """--seed, which seeds torch before the command runs."""
    return click.option(
        "--seed",
        metavar="N",
        type=click.IntRange(0, LARGEST_SEED),
        default=0,
        show_default=True,
        callback=_seed,
        help="Seed of all random numbers.",
        **attributes,
    )


def generator_option(**attributes: Any) -> Callable[[Command], Command]:
    """--generator."""
    text = "Generator to use: the name of a bundled one, a file, or the run folder of a training."
    return click.option("--generator", metavar="G", help=text, **attributes)


def rewrites_option(command: Command) -> Command:
    """--rewrite, any number of times; the command receives pairs of path and strength."""
    return click.option(
        "--rewrite",
        "rewrites",
        metavar="R[:STRENGTH]",
        type=RewriteStrength(),
        multiple=True,
        help="Rewrite to apply, a file or the run folder that holds it; r:0.5 applies it at half "
        "strength (repeat --rewrite to combine several).",
    )(command)


def folder_option(**attributes: Any) -> Callable[[Command], Command]:
    """-o DIR."""
    kind = click.Path(file_okay=False, path_type=Path)
    attributes.setdefault("help", "Folder to write the results to; made if it does not exist.")
    return click.option("-o", "--output", type=kind, metavar="DIR", **attributes)


def images_option(name: str = "images") -> Callable[[Command], Command]:
    """--images DIR; the command receives it as `name`."""
    return click.option(
        "--images",
        "--pictures",
        name,
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of images that a generator takes its samples from, if it needs images.",
    )


def projector_type() -> click.Path:
    """The file of a projector, or the run folder of its training."""
    return click.Path(path_type=Path)


def file_type() -> click.Path:
    """A file to read; whether it exists and is whole is checked by the library."""
    return click.Path(dir_okay=False, path_type=Path)


def _device(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if ctx.resilient_parsing:
        return "cpu"
    keep_freed_memory()
    import_torch()
    _check_operators()
    from regen.threads import sleep_beside_others

    sleep_beside_others()
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
    """Raise at once if the operators that STYLEGAN2_OPS requests are missing."""
    if not os.environ.get("STYLEGAN2_OPS"):
        return
    from stylegan2_ops import implementation

    try:
        implementation()
    except (RuntimeError, ValueError) as error:
        raise RegenError(f"STYLEGAN2_OPS: {error}", remedy="or unset STYLEGAN2_OPS") from error


def _seed(ctx: click.Context, param: click.Parameter, value: int) -> int:
    if not ctx.resilient_parsing:
        import_torch()
        import torch

        torch.manual_seed(value)
    return value


def _threads(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        import_torch()
        import torch

        # A program that calls commands computes afterwards as it did before.
        ctx.call_on_close(partial(torch.set_num_threads, torch.get_num_threads()))
        torch.set_num_threads(value)
