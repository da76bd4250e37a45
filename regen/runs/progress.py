"""How far a job is, and when it will be done: a bar on a terminal, lines in a log."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

QUIET_SECONDS = 2.0  # a job shorter than this shows nothing
TERMINAL_SECONDS = 0.2  # between two states of the line a terminal shows
LOG_SECONDS = 10.0  # between two lines of a log
_LOG_FORMAT = "{desc}: {n_fmt}/{total_fmt} ({percentage:.0f}%), {remaining} left{postfix}"


class Progress:
    """A bar on standard error that shows how far a job is; nothing for a job of two seconds.

    A terminal sees one line that changes; a log gets a line every ten seconds. With
    ``REGEN_PROGRESS=off`` in the environment nothing is ever shown.

    Args:
        total: Steps in all.
        label: What is being done, "fitting the memory" for instance.
        done: Steps done already, by an earlier run that is being resumed.

    Example:
        >>> with Progress(3, "counting") as progress:
        ...     for step in range(3):
        ...         progress.advance()
    """

    def __init__(self, total: int, label: str, *, done: int = 0) -> None:
        self.label, self.done = label, done
        terminal = sys.stderr.isatty()
        self._bar = tqdm(
            desc=label,
            total=total,
            initial=done,
            leave=None,
            position=None if terminal else 0,
            file=sys.stderr if terminal else _Lines(sys.stderr),
            bar_format=None if terminal else _LOG_FORMAT,
            delay=QUIET_SECONDS,
            mininterval=TERMINAL_SECONDS if terminal else LOG_SECONDS,
            miniters=1,
            smoothing=0,
            dynamic_ncols=terminal,
            disable=os.environ.get("REGEN_PROGRESS") == "off",
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count `steps` more, and show the new state if it is time to, with `note` behind it."""
        self.done += steps
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(steps)

    def close(self) -> None:
        """Show the last state, if anything was shown at all; closing twice does no harm."""
        self._bar.close()


class _Lines(io.TextIOBase):
    """A log for tqdm to write to: each new state of a bar becomes a line of its own."""

    def __init__(self, log: TextIO) -> None:
        self._log, self._last = log, ""

    def write(self, text: str) -> int:
        """Write a state; the carriage returns and blanks that tqdm puts around it are left out."""
        state = text.strip()
        if state and state != self._last:
            self._log.write(f"{state}\n")
            self._last = state
        return len(text)

    def flush(self) -> None:
        """Write out what is pending."""
        self._log.flush()


def track(items: Sequence[T], label: str) -> Iterator[T]:
    """Go through `items` with a `Progress`.

    Example:
        >>> list(track([1, 2], "counting"))
        [1, 2]
    """
    with Progress(len(items), label) as progress:
        for item in items:
            yield item
            progress.advance()
