"""What commands say: lines, notes, and one message where a command ends without success.

Whatever a message quotes, a name of a file or a value that was typed, it stays short and can do
nothing to a terminal.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from regen.cli.misplaced import remedy
from regen.errors import RegenError, printable
from regen.training.environment import is_first
from regen.training.interrupt import every_signal_interrupts

BAD_INPUT, INTERRUPTED = 2, 130
_STANDARD_ERROR = 2  # the last of the standard streams
_LONGEST_MESSAGE = 1000
_WORDS = f"{__name__}.words"  # behind the name of the command
_HELP = getattr(click.exceptions, "NoArgsIsHelpError", ())  # whose message is the help, with lines


class Verbs(click.Group):
    """A group of commands that ends with one message where the user can correct what is wrong.

    A `RegenError` gives exit code 2. Ctrl-C, SIGTERM and SIGHUP give 130 and a message that says
    what was kept. A full disk that nobody noticed before, behind standard output for instance,
    and memory that is full give 2 as well. Anything else is a bug and keeps its traceback.
    """

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command line."""
        open_standard_streams()
        return super().main(*args, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command."""
        with _printable_usage_errors():
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The chosen command, and the words behind its name, which usage errors look at."""
        name, command, words = super().resolve_command(ctx, args)
        ctx.meta[_WORDS] = tuple(words)  # parsing empties the list
        return name, command, words

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            with warnings.catch_warnings(), every_signal_interrupts(), _printable_usage_errors():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except RegenError as error:
            _tell(f"Error: {_shortened(str(error))}")
            ctx.exit(BAD_INPUT)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                name = str(error.filename)
                shown = f"{name[:60]}..." if len(name) > 60 else name
                _tell(printable(f"Error: {shown} is too long for a name of a file"))
                ctx.exit(BAD_INPUT)
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            sys.stdout = io.StringIO()  # what is pending would fail again at the end
            where = f"{error.filename}" if error.filename else "the output"
            _tell(f"Error: cannot write {where}: {error.strerror}")
            ctx.exit(BAD_INPUT)
        except (MemoryError, RuntimeError) as error:
            lacking = _out_of_memory(error)
            if lacking is None:
                raise
            _tell(f"Error: {lacking}")
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt as interrupt:
            if is_first():  # only one of several processes prints it
                kept = str(interrupt) or "nothing was kept"
                _tell(f"\nInterrupted: {kept}")
            ctx.exit(INTERRUPTED)


def open_standard_streams() -> None:
    """Open what the process was started without, as by ``2>&-``, to nowhere.

    Else the next file that is opened would be the stream, and receive what libraries write to it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _tell(line: str) -> None:
    """Print to standard error; a full disk or a closed terminal takes no message."""
    with suppress(OSError):
        click.echo(line, err=True)


def _out_of_memory(error: MemoryError | RuntimeError) -> str | None:
    """What to say where memory is full, or None of an error that is about something else.

    Torch raises its own errors for a GPU's memory and plain ones, known by their text alone, for
    the machine's.
    """
    text = str(error)
    of_machine = isinstance(error, MemoryError) or "can't allocate memory" in text
    if not of_machine and "out of memory" not in text:
        return None
    found = re.search(r"(?:tried to|unable to) allocate (\d+(?:\.\d+)?)\.? (\w+)", text, re.I)
    whose = "this machine" if of_machine else "the GPU"
    got = f", which was asked for {found[1]} {found[2]} more," if found else ""
    remedy = "ask for less at once (smaller batches, fewer samples, smaller images)"
    return f"the memory of {whose}{got} is full; {remedy}, or take another --device"


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


@contextmanager
def _printable_usage_errors() -> Iterator[None]:
    """What click says of a wrong option quotes it, whatever is in it and however long it is."""
    try:
        yield
    except click.UsageError as error:
        if not isinstance(error, _HELP):
            message = ". ".join(filter(None, (error.message, _where_to(error))))
            vars(error)["message"] = _in_one_line(message)  # click declares it to be final
        raise


def _where_to(error: click.UsageError) -> str | None:
    """Behind which options to write words that stand alone, if they are what is wrong."""
    if error.ctx is None or type(error) not in (click.UsageError, click.MissingParameter):
        return None
    words = error.ctx.meta.get(_WORDS)
    return None if words is None else remedy(error.ctx, words)


def _in_one_line(text: str) -> str:
    return printable(_shortened(text))


def _shortened(text: str) -> str:
    """A message without its middle where it quotes something long; the remedy is at its end."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return f"{text[: _LONGEST_MESSAGE // 2]}...{text[-_LONGEST_MESSAGE // 4 :]}"
