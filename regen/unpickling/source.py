"""A file that is read in place, and what reading it may cost.

A pickle is a run of small instructions between large blocks of bytes, the tensors. Instructions are
read through a memory map. A large block stays where it is, as a `Span`, until somebody needs it:
then it is read once, straight into the memory of the tensor. A `Budget` goes with every file, so
that no file, however it was made, costs more memory or time than its own size warrants.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from regen.errors import UnpicklingError
from regen.files.budget import STEPS_OF_A_LOOK, Budget


class Span:
    """The bytes from `start` to `stop` of a buffer, unread.

    Args:
        buffer: The whole file, mapped; or bytes that were in memory anyway.
        start: First byte.
        stop: The byte after the last one.
        file: The file behind a mapped buffer, unbuffered.
        mutable: The file says bytearray where others say bytes.
    """

    __slots__ = ("_plain", "buffer", "file", "mutable", "start", "stop")

    def __init__(
        self,
        buffer: bytes | mmap.mmap,
        start: int,
        stop: int,
        file: FileIO | None = None,
        *,
        mutable: bool = False,
    ) -> None:
        self.buffer, self.start, self.stop, self.file = buffer, start, stop, file
        self.mutable = mutable
        self._plain: bytes | bytearray | None = None

    @classmethod
    def of(cls, data: bytes | bytearray) -> Span:
        """A span over bytes in memory."""
        return cls(bytes(data), 0, len(data))

    def __len__(self) -> int:
        return self.stop - self.start

    def part(self, start: int, stop: int, *, mutable: bool = False) -> Span:
        """The bytes between two positions in the buffer, which must lie inside this span."""
        if not self.start <= start <= stop <= self.stop:
            raise UnpicklingError(f"it is truncated at byte {self.stop:,}")
        return Span(self.buffer, start, stop, self.file, mutable=mutable)

    def starts_with(self, head: bytes) -> bool:
        """Whether these are the first bytes."""
        return self.buffer[self.start : min(self.start + len(head), self.stop)] == head

    def plain(self) -> bytes | bytearray:
        """The bytes themselves; the same object every time."""
        if self._plain is None:
            data = self.buffer[self.start : self.stop]
            self._plain = bytearray(data) if self.mutable else data
        return self._plain

    def fill(self, target: memoryview) -> None:
        """Read everything into `target`, unsigned bytes, which must be as long."""
        assert target.nbytes == len(self)
        if self.file is None:
            target[:] = self.buffer[self.start : self.stop]
            return
        self.file.seek(self.start)
        while len(target):
            count = self.file.readinto(target)
            if not count:
                raise UnpicklingError("it became shorter while it was read")
            target = target[count:]


@contextmanager
def opened(path: Path | str) -> Iterator[Span]:
    """Map a file and give all of it; errors that are raised in the block begin with its path.

    Raises:
        UnpicklingError: If it is missing, empty, no file or cannot be read; or from the block.
    """
    try:
        if not Path(path).exists():
            raise UnpicklingError("it does not exist", remedy="check the path")
        if not Path(path).is_file():
            raise UnpicklingError("it is not a file")
        with Path(path).open("rb", buffering=0) as file:
            size = file.seek(0, 2)
            if not size:
                raise UnpicklingError("it is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                yield Span(mapped, 0, size, file)
    except UnpicklingError as error:
        raise UnpicklingError(f"{path}: {error}") from error
    except MemoryError as error:
        raise UnpicklingError(
            f"{path}: it needs more memory than there is", remedy="use a machine with more"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise UnpicklingError(f"cannot read {path}: {reason}", remedy="check the file") from error


def budget_of(file: Span) -> Budget:
    """What may be spent on a file."""
    return Budget(len(file), UnpicklingError)


def budget_of_a_look() -> Budget:
    """What may be spent on telling what kind of file it is."""
    return Budget(0, UnpicklingError, steps=STEPS_OF_A_LOOK)
