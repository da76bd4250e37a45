"""The entries of a zip file, as torch.save writes them: stored as they are, never compressed.

Nothing is extracted: an entry is a span of the file. Only what the format needs is read: the
directory at the end, its zip64 form, and the lengths in front of each entry. (zipfile, of the
standard library, holds any number of entries in memory before it can be asked.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from regen.errors import UnpicklingError
from regen.files.budget import ENTRY_STEPS, MOST_ZIP_ENTRIES, Budget
from regen.unpickling.source import Span
from regen.unpickling.values import shown

_LONGEST_COMMENT = 0xFFFF
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_IN_ZIP64 = 0xFFFFFFFF


def is_zip(file: Span) -> bool:
    """Whether the file begins like a zip with at least one entry."""
    return file.buffer[file.start : file.start + 4] == b"PK\x03\x04"


def zip_entries(file: Span, budget: Budget) -> dict[str, Span]:
    """Name and content of every entry.

    Args:
        file: All of the zip.
        budget: Of whatever it lies in.

    Raises:
        UnpicklingError: If the zip is damaged, compressed or encrypted, or if entries overlap, have
            the same name, or a name that leads out of the folder they would be extracted to.
    """
    count, start, stop = _directory(file)
    if count > MOST_ZIP_ENTRIES:
        raise UnpicklingError(
            f"its zip has {count:,} entries", expected=f"at most {MOST_ZIP_ENTRIES:,}"
        )
    budget.work(ENTRY_STEPS * count)
    entries: dict[str, Span] = {}
    for name, offset, size in _listed(file, budget, count, start, stop):
        if name in entries:
            raise UnpicklingError(f"its zip has two entries named {shown(name)}")
        entries[name] = _content(file, name, offset, size, start)
    end = file.start
    for span in sorted(entries.values(), key=lambda span: (span.start, span.stop)):
        if span.start < end:
            raise UnpicklingError("its zip is damaged: entries overlap")
        end = span.stop
    return entries


def _unpack(layout: struct.Struct, file: Span, offset: int, signature: bytes) -> tuple[int, ...]:
    """The fields after the signature of a record, whose place counts from the start of the zip."""
    at = file.start + offset
    data = file.part(at, at + layout.size).plain()
    fields = layout.unpack(data)
    if fields[0] != signature:
        raise UnpicklingError(f"its zip is damaged: no {signature!r} at byte {at:,}")
    return fields[1:]


def _directory(file: Span) -> tuple[int, int, int]:
    """Number of entries; first byte of the directory, and the byte after it."""
    begin = max(file.start, file.stop - _END.size - _LONGEST_COMMENT)
    at = file.buffer.rfind(b"PK\x05\x06", begin, file.stop)
    if at < 0:
        raise UnpicklingError("its zip is truncated: it has no directory")
    at -= file.start
    _, _, _, count, size, start, comment = _unpack(_END, file, at, b"PK\x05\x06")
    if at + _END.size + comment != len(file):
        raise UnpicklingError("its zip is damaged: it does not end with its directory")
    if count == 0xFFFF or _IN_ZIP64 in (size, start):
        locator = at - _LOCATOR64.size
        at = _unpack(_LOCATOR64, file, max(locator, 0), b"PK\x06\x07")[1]
        *_, count, size, start = _unpack(_END64, file, at, b"PK\x06\x06")
    if start + size > at:
        raise UnpicklingError("its zip is damaged: its directory is longer than the file")
    return count, start, start + size


def _listed(
    file: Span, budget: Budget, count: int, start: int, stop: int
) -> Iterator[tuple[str, int, int]]:
    """Name, place of the header and size of every entry in the directory."""
    at = start
    for _ in range(count):
        fields = _unpack(_ENTRY, file, at, b"PK\x01\x02")
        flags, method, packed, size = fields[2], fields[3], fields[7], fields[8]
        name_length, extra_length, comment_length, offset = (*fields[9:12], fields[15])
        at += _ENTRY.size
        text = file.part(file.start + at, file.start + at + name_length).plain()
        name = bytes(text).decode("utf-8", "replace")
        if method or flags & 1:
            raise UnpicklingError(
                f"entry {shown(name)} of its zip is compressed or encrypted",
                expected="entries stored as they are, as torch.save writes them",
                remedy="load it with torch and save it again",
            )
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or name[:1] in ("/", "\\") or ":" in parts[0] or "\0" in name:
            raise UnpicklingError(
                f"entry {shown(name)} of its zip leads out of the folder it is in"
            )
        extra_at = file.start + at + name_length
        extra = bytes(file.part(extra_at, extra_at + extra_length).plain())
        at += name_length + extra_length + comment_length
        wide = _zip64_field(extra, budget)
        size, packed, offset = _widened((size, packed, offset), wide, name)
        if size != packed:
            raise UnpicklingError(f"its zip is damaged: entry {shown(name)} has two sizes")
        yield name, offset, size
    if at != stop:
        raise UnpicklingError("its zip is damaged: its directory is not as long as it says")


def _zip64_field(extra: bytes, budget: Budget) -> bytes:
    """The zip64 field among the extra fields of an entry, empty where there is none."""
    at, wide = 0, b""
    while at + 4 <= len(extra):
        budget.work(1)
        identity, length = struct.unpack_from("<2H", extra, at)
        if identity == 1:
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    return wide


def _widened(fields: tuple[int, ...], wide: bytes, name: str) -> Iterator[int]:
    """Size, packed size and offset, where need be from the zip64 field of an entry."""
    for value in fields:
        if value == _IN_ZIP64:
            if len(wide) < 8:
                raise UnpicklingError(f"its zip is damaged: entry {shown(name)} has no size")
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        yield value


def _content(file: Span, name: str, offset: int, size: int, directory: int) -> Span:
    fields = _unpack(_LOCAL, file, offset, b"PK\x03\x04")
    begin = offset + _LOCAL.size + fields[8] + fields[9]
    if begin + size > directory:
        raise UnpicklingError(
            f"its zip is damaged: entry {shown(name)} claims {size:,} bytes, more than it holds"
        )
    return file.part(file.start + begin, file.start + begin + size)
