"""The header that says what a file of tensors is: JSON in the metadata of a safetensors file.

    {"format": "rewrite", "version": 1, "family": "stylegan2", "settings": {...},
     "base": "<digest>", "provenance": "...", "licence": "...", "digest": "<digest>"}

``format`` and ``version`` are required, ``digest`` is that of the tensors, and the rest belongs to
whoever writes the format.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from regen.errors import StoreError
from regen.files.budget import LONGEST_HEADER_BYTES
from regen.files.json_text import parse_json
from regen.files.safetensors_head import METADATA, parse_head

Header = dict[str, Any]


def header_text(header: Header) -> str:
    """A header as JSON; names of files may hold halves of characters, which are escaped."""
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(header, sort_keys=True, allow_nan=False)
    return text


def damaged(path: Path | str, why: str) -> StoreError:
    """The error of a file that is not as it was written."""
    return StoreError(f"{path} is damaged: {why}", remedy="make the file again or copy it again")


def read_head(path: Path | str, file: BinaryIO) -> dict[str, Any]:
    """The JSON at the start of any safetensors file; afterwards `file` stands where data begin."""
    total = os.fstat(file.fileno()).st_size
    start = file.read(9)
    if len(start) < 9 or start[8:] != b"{":
        raise StoreError(f"{path} is not a safetensors file", expected="a file written by regen")
    (length,) = struct.unpack("<Q", start[:8])
    if length > total - 8:
        raise damaged(path, f"truncated at {total} bytes, inside its header")
    if length > LONGEST_HEADER_BYTES:
        raise damaged(path, f"its header of {length:,} bytes is too long")
    try:
        head, data_bytes = parse_head(b"{" + file.read(length - 1))
    except ValueError as error:
        raise damaged(path, f"its header cannot be read ({error})") from error
    if total < 8 + length + data_bytes:
        raise damaged(path, f"truncated at {total} bytes of {8 + length + data_bytes}")
    return head


def stored_header(head: Mapping[str, Any]) -> object:
    """What stands where regen's header stands, None where nothing does."""
    metadata = head.get(METADATA)
    return metadata.get("regen") if isinstance(metadata, dict) else None


def checked_header(
    path: Path | str, head: Mapping[str, Any], format: str | None, version: int
) -> Header:
    """regen's header out of what `read_head` gave.

    Args:
        path: Name of the file, for messages.
        head: The JSON at its start.
        format: The format it must have, or None for any.
        version: The newest version of that format that the caller understands.

    Raises:
        StoreError: If the file is not ours, of another format, or newer than we are.
    """
    text = stored_header(head)
    if text is None:
        raise StoreError(
            f"{path} is a safetensors file, but not one of regen's",
            remedy="`regen convert` reads the formats of other tools",
        )
    try:
        header = parse_json(text if isinstance(text, str) else "")
    except ValueError as error:
        raise damaged(path, f"its header cannot be read ({error})") from error
    check_header(path, header)
    if format is not None and header["format"] != format:
        raise StoreError(str(path), got=_a(header["format"]), expected=_a(format))
    if header["version"] > version:
        raise StoreError(
            f"{path}: version of the {header['format']} format",
            got=header["version"],
            expected=f"at most {version}",
            remedy="update regen",
        )
    return dict(header)


def check_header(path: Path | str, header: object) -> None:
    """Raise StoreError if a header lacks what every header has."""
    if not isinstance(header, dict):
        raise damaged(path, "its header is not an object")
    if not isinstance(header.get("format"), str) or not header["format"]:
        raise StoreError(f"{path}: header", expected="a format, as text")
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(f"{path}: header: version", got=version, expected="an integer from 1")


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
