"""The scans of a JPEG: what they have sent when the file ends, and whether their data are theirs.

A progressive JPEG sends each coefficient of its blocks in several scans: the lowest frequencies
first, and of each number its last bits last. Others send all in one scan, or each component in a
scan of its own. See ITU-T T.81, Annexes B, F and G.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from regen.errors import ImageError
from regen.images.jpeg import segments

_SCAN, _TABLES = 0xDA, 0xC4
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = (0xC2, 0xCA)  # by the usual code, and by the arithmetic one
_USUAL = (0xC0, 0xC1, 0xC2)  # frames of the usual code
_BLOCK = 64  # coefficients
_ZEROS = bytes(256)
_LEAST_BAND = 32  # coefficients that a scan sends of each block, so that zeros cannot be its data


@dataclass(frozen=True)
class Scan:
    """One pass over the blocks of some components.

    Attributes:
        frame: The marker of the frame that it belongs to.
        components: Numbers of the components.
        first, last: The coefficients that it sends, from 0 to 63.
        before: The lowest bit that was sent before it, 0 where it is the first to send them.
        left: The lowest bit that it sends: as many are left to other scans.
        zeros: For each component, which symbol of its table for coefficients is coded by zeros
            alone, or None where there is no table.
        data: Where its data begin and end.
        closed: Whether anything follows them.
    """

    frame: int
    components: tuple[int, ...]
    first: int
    last: int
    before: int
    left: int
    zeros: tuple[int | None, ...]
    data: tuple[int, int]
    closed: bool


def bits_left(data: bytes) -> int:
    """How many bits of a coefficient a JPEG has not sent, by the headers of its scans.

    Encoders send all, though of a progressive one only the means of the blocks must be sent.

    Args:
        data: The file.

    Returns:
        The most of any coefficient of any component: 64 where one was never sent, and 0 where all
        were.

    Raises:
        ImageError: If it is not made of segments to its end.
    """
    left: dict[int, list[int]] = {}
    for one in _parts(data):
        if not isinstance(one, Scan):
            left |= {number: [_BLOCK] * _BLOCK for number in one}
            continue
        whole = one.frame not in _PROGRESSIVE  # whatever its header says
        band = slice(0, _BLOCK) if whole else slice(one.first, one.last + 1)
        for sent in (left[number] for number in one.components if number in left):
            sent[band] = [0 if whole else min(bits, one.left) for bits in sent[band]]
    return max((max(sent) for sent in left.values()), default=0)


def ends_with_a_part(data: bytes) -> bool:
    """Whether the last scan is the first to send something, and others have sent the rest.

    If it was cut, the rest of the image is there, without its colours or blurred: no corner of it
    is grey. Most JPEGs have one scan of everything, or end with the last bits of some numbers.

    Args:
        data: The file.

    Raises:
        ImageError: If it is not made of segments to its end.
    """
    scans = [one for one in _parts(data) if isinstance(one, Scan)]
    return len(scans) > 1 and scans[-1].before == 0


def has_zeros(data: bytes) -> bool:
    """Whether a part of the data of a scan has become zeros, which were not its data.

    A flat image may be coded by zeros alone. So they count only where the tables of the scan say
    that zeros are coefficients: block after block, each of them would have the same value, which is
    no image. Where zeros mean that nothing more is in a block, it cannot be known. Nor do zeros
    count that fill a scan up behind its data.

    Args:
        data: The file.

    Raises:
        ImageError: If it is not made of segments.
    """
    if _ZEROS not in data:
        return False
    for scan in _parts(data):
        if isinstance(scan, Scan) and not _may_be_zeros(scan):
            sent = data[slice(*scan.data)]
            if _ZEROS in (sent.rstrip(b"\0") if scan.closed else sent):
                return True
    return False


def _may_be_zeros(scan: Scan) -> bool:
    """Whether zeros can be the data of a scan, or it is not known what they mean."""
    if scan.frame not in _USUAL or scan.before or scan.last - scan.first + 1 < _LEAST_BAND:
        return True
    # A symbol is how many coefficients are 0 before the next, times 16, and how many bits that has.
    return not any(symbol is not None and 0 < symbol < 16 for symbol in scan.zeros)


def _parts(data: bytes) -> Iterator[tuple[int, ...] | Scan]:
    """The numbers of a frame's components, and its scans."""
    frame, tables = 0, dict[int, int]()
    for marker, at, end in segments(data, closed=False):
        content = data[at + 2 : at + int.from_bytes(data[at : at + 2], "big")]
        if marker in _FRAMES:
            if len(content) < 6:
                raise ImageError("the JPEG is damaged")
            frame = marker
            yield tuple(content[6::3][: content[5]])
        elif marker == _TABLES:
            tables |= _first_symbols(content)
        elif marker == _SCAN:
            place = at + 2 + len(content), end
            yield _scan(content, frame, tables, place, closed=end < len(data))


def _scan(
    content: bytes, frame: int, tables: dict[int, int], data: tuple[int, int], *, closed: bool
) -> Scan:
    count = content[0] if content else 0
    if len(content) < 4 + 2 * count:
        raise ImageError("the JPEG is damaged")
    components, chosen = content[1 : 1 + 2 * count : 2], content[2 : 2 + 2 * count : 2]
    first, last, bits = content[1 + 2 * count : 4 + 2 * count]
    zeros = tuple(tables.get(0x10 | choice & 15) for choice in chosen)
    return Scan(frame, tuple(components), first, last, bits >> 4, bits & 15, zeros, data, closed)


def _first_symbols(content: bytes) -> dict[int, int]:
    """The symbol that is coded by zeros in each table of a segment, by the table's class and place.

    Codes are handed out in order, the first of all zeros.
    """
    found: dict[int, int] = {}
    while len(content) > 17:
        codes = sum(content[1:17])
        if codes:
            found[content[0]] = content[17]
        content = content[17 + codes :]
    return found
