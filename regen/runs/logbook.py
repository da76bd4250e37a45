"""What a run leaves behind while it runs: its settings, its curves, and a word on how long yet.

A *run folder* holds settings.json and TensorBoard events; `Logbook` writes both. `Progress` tells
whoever waits how far a job is and when it will be done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, TypeVar

from torch import Tensor

from regen.errors import StoreError
from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

T = TypeVar("T")

QUIET_SECONDS = 2.0  # a job shorter than this says nothing
TTY_SECONDS = 0.2  # between two states of the line a terminal shows
LOG_SECONDS = 10.0  # between two lines of a log


class Logbook:
    """Curves and images of a run, for TensorBoard. Use it in a `with` block, which closes it.

    TensorBoard is imported, and its file made, by the first thing that is logged.

    Args:
        folder: The run folder; made if it does not exist.

    Raises:
        StoreError: If the folder cannot be written to; by the methods, too (disk full).
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = ensure_folder(folder)
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> Logbook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def settings(self, settings: object, name: str = "settings.json") -> None:
        """Write a dataclass (or a mapping) of settings as JSON into the run folder."""
        write_json(self.folder / name, to_json(settings))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each named curve."""
        with self._written() as writer:
            for name, value in values.items():
                writer.add_scalar(name, value, step)

    def images(self, name: str, images: Tensor, step: int) -> None:
        """Show a row of images ``[N, 3, H, W]`` in [-1, 1]."""
        with self._written() as writer:
            writer.add_images(name, (images.detach().float().cpu().clamp(-1, 1) + 1) / 2, step)

    def close(self) -> None:
        """Write out what is pending. The folder stays usable; closing twice does no harm."""
        if self._writer is not None:
            with self._written() as writer:
                self._writer = None
                writer.close()

    @contextmanager
    def _written(self) -> Iterator[SummaryWriter]:
        try:
            if self._writer is None:
                from torch.utils.tensorboard import SummaryWriter

                self._writer = SummaryWriter(str(self.folder))
            yield self._writer
        except OSError as error:
            raise StoreError(
                f"cannot write TensorBoard events to {self.folder}: {error.strerror or error}",
                remedy="free some space, or choose another folder",
            ) from error


class Progress:
    """Tells how far a job is, on standard error, once it has lasted two seconds.

    A terminal sees one line that changes; a log gets a line every ten seconds.

    Args:
        total: Steps in all.
        label: What is being done, "fitting the memory" for instance.
        done: Steps done already, by an earlier run that is being resumed.
        stream: Where to write; standard error by default.
        clock: Seconds from any origin; for tests.

    Example:
        >>> with Progress(3, "counting") as progress:
        ...     for step in range(3):
        ...         progress.advance()
    """

    def __init__(
        self,
        total: int,
        label: str,
        *,
        done: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.label, self.done = total, label, done
        self._stream, self._clock = stream or sys.stderr, clock
        self._tty = self._stream.isatty()
        self._start, self._first = clock(), done
        self._last: float | None = None  # when something was shown
        self._width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count `steps` more, and show the new state if it is time to; `note` stands behind it."""
        self.done += steps
        now = self._clock()
        since = now - (self._start if self._last is None else self._last)
        pause = TTY_SECONDS if self._tty else LOG_SECONDS
        if since >= (QUIET_SECONDS if self._last is None else pause):
            self._last = now
            self._show(self.line(now) + (f", {note}" if note else ""))

    def line(self, now: float) -> str:
        """The state at time `now`, in one line: steps, percent, and the time still needed."""
        share = 100 * self.done // max(self.total, 1)
        text = f"{self.label}: {self.done}/{self.total} ({share}%)"
        fresh = self.done - self._first
        if fresh <= 0 or self.done >= self.total:
            return text
        left = (now - self._start) / fresh * (self.total - self.done)
        return f"{text}, {format_seconds(left)} left"

    def close(self) -> None:
        """Show how long it took, if anything was shown at all."""
        if self._last is None:
            return
        took = format_seconds(self._clock() - self._start)
        self._show(f"{self.label}: {self.done}/{self.total} in {took}")
        if self._tty:
            self._stream.write("\n")
        self._last = None

    def _show(self, text: str) -> None:
        if self._tty:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def track(items: Sequence[T] | Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Go through `items` with a `Progress`; give `total` where `items` has no length.

    Example:
        >>> list(track([1, 2], "counting"))
        [1, 2]
    """
    count = total if total is not None else len(items) if isinstance(items, Sequence) else 0
    with Progress(count, label) as progress:
        for item in items:
            yield item
            progress.advance()


def format_seconds(seconds: float) -> str:
    """A duration as people say it.

    Example:
        >>> [format_seconds(s) for s in (0.4, 59, 200, 7500)]
        ['0 s', '59 s', '3 min 20 s', '2 h 5 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
