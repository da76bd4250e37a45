"""What a run records while it runs: its settings, and its curves for TensorBoard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from torch import Tensor

from regen.errors import StoreError
from regen.files.as_json import to_json
from regen.files.atomic import cannot_write, ensure_folder, write_json
from regen.files.run_files import SETTINGS_FILE
from regen.images import as_shown

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

ThreadHook = Callable[[threading.ExceptHookArgs], object]


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
