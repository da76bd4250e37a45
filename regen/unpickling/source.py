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

# The pickle of a 1024x1024 NVIDIA snapshot has 50,000 instructions, a training checkpoint with its
# optimizers about as many.
_MOST_INSTRUCTIONS = 1_000_000
_SLACK_BYTES = 16 << 20


class Budget:
    """What may still be spent on one file: bytes of memory beside the stack, and instructions.

    An honest file holds every byte of its tensors, so the bytes of a file bound what it becomes.
    """

    def __init__(self, file_bytes: int) -> None:
        self.bytes_left = file_bytes + _SLACK_BYTES
        self.instructions_left = _MOST_INSTRUCTIONS

    def spend(self, count_bytes: int) -> None:
        """Take bytes of memory. Raises UnpicklingError when the file has none left."""
        self.bytes_left -= count_bytes
        if self.bytes_left < 0:
            raise UnpicklingError("it grows to far more than its own size when it is read")

    def spend_instructions(self, count: int) -> None:
        """Take instructions. Raises UnpicklingError when there are none left."""
        self.instructions_left -= count
        if self.instructions_left < 0:
            raise UnpicklingError(
                "it is too long for a checkpoint",
                expected=f"at most {_MOST_INSTRUCTIONS:,} pickle instructions",
            )


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
    except OSError as error:
        reason = error.strerror or error
        raise UnpicklingError(f"cannot read {path}: {reason}", remedy="check the file") from error
