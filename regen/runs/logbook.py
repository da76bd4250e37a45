"""What a run records and shows while it runs: its settings, its curves, and its progress.

A *run folder* holds settings.json and TensorBoard events; `Logbook` writes both. `Progress` shows
how far a job is and when it will be done, by tqdm.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, TypeVar

from torch import Tensor
from tqdm import tqdm

from regen.errors import StoreError
from regen.files.as_json import to_json
from regen.files.atomic import cannot_write, ensure_folder, write_json
from regen.files.run_files import SETTINGS_FILE
from regen.images import as_shown

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

T = TypeVar("T")
ThreadHook = Callable[[threading.ExceptHookArgs], object]

QUIET_SECONDS = 2.0  # a job shorter than this shows nothing
TERMINAL_SECONDS = 0.2  # between two states of the line a terminal shows
LOG_SECONDS = 10.0  # between two lines of a log
_LOG_FORMAT = "{desc}: {n_fmt}/{total_fmt} ({percentage:.0f}%), {remaining} left{postfix}"


class Logbook:
    """Curves and images of a run, for TensorBoard. Use it in a `with` block, which closes it.

    TensorBoard is imported, and its file made, by the first thing that is logged.

    Args:
        folder: The run folder; made if it does not exist.
        command: The command whose run it is; ends the name of the file of events.
        done: Steps done by an earlier run that is being resumed; what that one has logged beyond
            them is no longer shown.

    Raises:
        StoreError: If the folder cannot be written to; by the methods, too (disk full).
    """

    def __init__(self, folder: Path | str, command: str = "", *, done: int = 0) -> None:
        self.folder = ensure_folder(_in_utf8(folder))
        self._suffix, self._done = f".{command}" if command else "", done
        self._writer: SummaryWriter | None = None
        self._hook: ThreadHook | None = None  # that of before

    def __enter__(self) -> Logbook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def settings(self, settings: object, name: str = SETTINGS_FILE) -> None:
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
            writer.add_images(name, (as_shown(images) + 1) / 2, step)

    def close(self) -> None:
        """Write out what is pending. The folder stays usable; closing twice does no harm."""
        try:
            if self._writer is not None:
                with self._written() as writer:
                    self._writer = None
                    writer.close()
        finally:
            if self._hook is not None:
                threading.excepthook, self._hook = self._hook, None

    @contextmanager
    def _written(self) -> Iterator[SummaryWriter]:
        try:
            if self._writer is None:
                from torch.utils.tensorboard import SummaryWriter

                self._hook = _quieten_events()
                purge = self._done + 1 if self._done else None
                self._writer = SummaryWriter(
                    str(self.folder), purge_step=purge, filename_suffix=self._suffix
                )
            yield self._writer
        except OSError as error:
            raise cannot_write(f"TensorBoard events to {self.folder}", error) from error


def _quieten_events() -> ThreadHook:
    """Print no trace of TensorBoard's thread: its error is raised by the next call, or by close.

    Returns:
        The hook of before, to be given back.
    """
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not type(failure.thread).__module__.startswith("tensorboard."):
            before(failure)

    threading.excepthook = hook
    return before


def _in_utf8(folder: Path | str) -> Path | str:
    """The folder, if TensorBoard can be given its name. Raises StoreError."""
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{folder}: the name of a run folder is not in UTF-8, which TensorBoard needs",
            remedy="choose another name",
        ) from error
    return folder


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


def format_seconds(seconds: float) -> str:
    """A duration in words.

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
