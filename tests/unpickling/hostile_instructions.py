"""Pickles that are damaged, or larger inside than outside: each with the words of its refusal."""

from __future__ import annotations

import struct
from typing import Any

from tests.unpickling.writer import Raw

DEEP = 100_000
Hostile = dict[str, tuple[Any, str]]


def instructions() -> Hostile:
    """Files whose instructions break the rules of the format, or reach for too much."""
    huge = 10 << 30
    return {
        "ext1": (Raw(b"\x82\x01"), "by its number in a registry"),
        "ext2": (Raw(b"\x83\x01\x00"), "by its number in a registry"),
        "ext4": (Raw(b"\x84\x01\x00\x00\x00"), "by its number in a registry"),
        "persistent id": (Raw(b"K\x01Q"), "refers to data outside of the pickle"),
        "persistent text": (Raw(b"Pos\n"), "refers to objects by a text"),
        "outside buffer": (Raw(b"\x97"), "needs buffers from outside"),
        "unknown instruction": (b"\x80\x04\xff.", "byte 2 is not an instruction"),
        "protocol 6": (b"\x80\x06N.", "its pickle protocol: got 6"),
        "far memo": (
            b"\x80\x02Nr\x00\x00\x00\x80.",
            "memo: got 2,147,483,648, expected at most 2,",
        ),
        "far memo as text": (b"Np99999999999999999999\n.", "a place of the memo: got 99,9"),
        "memo of minus one": (b"Np-1\n.", "a place of the memo is not a number"),
        "missing memo": (b"\x80\x02j\x00\x00\x00\x10.", "that nothing was put in"),
        "memo of nothing": (b"\x80\x04\x94.", "a value is missing"),
        "missing mark": (b"\x80\x04Nt.", "a mark is missing"),
        "missing value": (b"\x80\x04R.", "a value is missing"),
        "odd dict": (b"\x80\x04}(Nu.", "a key of a dict has no value"),
        "left over": (b"\x80\x04NN.", "before everything is put together"),
        "left mark": (b"\x80\x04(N.", "before everything is put together"),
        "10 GB of text": (
            b"\x80\x04\x8d" + struct.pack("<Q", huge) + b"x.",
            "10,737,418,240 bytes",
        ),
        "10 GB of bytes": (
            b"\x80\x04\x8e" + struct.pack("<Q", huge) + b"x.",
            "10,737,418,240 bytes",
        ),
        "10 GB bytearray": (b"\x80\x05\x96" + struct.pack("<Q", huge) + b"x.", "10,737,418,240"),
        "10 GB frame": (b"\x80\x04\x95" + struct.pack("<Q", huge) + b"N.", "truncated at byte"),
        "endless text": (b"\x80\x04\x8d" + b"\xff" * 8 + b".", "it is truncated"),
        "4 GB of text": (b"\x80\x02X\xff\xff\xff\xffx.", "4,294,967,295 bytes"),
        "huge number": (
            b"\x80\x02\x8b" + struct.pack("<I", 1 << 22) + b"\x7f" * (1 << 22) + b".",
            "an integer of 4,194,304 bytes",
        ),
        "negative length": (b"\x80\x02\x8b\xff\xff\xff\xff.", "an integer of 4,294,967,295 bytes"),
        "long number as text": (b"L" + b"9" * 100_000 + b"L\n.", "a line at byte 1 has no end"),
        "bad number": (b"Ix\n.", "a number: got x"),
        "bad text": (b"\x80\x04\x8c\x01\xff.", "a text is not readable"),
        "no quotes": (b"S3\n.", "a text has no quotes"),
        "trailing data": (b"\x80\x04N." + b"x" * 10, "goes on for 10 bytes after its end"),
        "no stop": (b"\x80\x04N", "it ends at byte 3"),
        "long": (b"\x80\x04" + b"N0" * 900_000 + b"N.", "too long for a checkpoint"),
    }


def structures() -> Hostile:
    """Files that become what nobody can walk, hash or hold."""
    lists = b"]q\x00" + b"".join(
        b"](" + bytes([104, n, 104, n]) + b"eq" + bytes([n + 1]) for n in range(100)
    )
    tuples = b")q\x00" + b"".join(
        bytes([104, n, 104, n, 0x86]) + b"q" + bytes([n + 1]) for n in range(100)
    )
    wide = b"](" + b"K\x01" * 4000 + b"eq\x000(" + b"h\x00" * 4000 + b"t."
    sets = b"](" + b"K\x01" * 60_000 + b"eq\x000(" + b"cbuiltins\nset\nh\x00\x85R" * 2000 + b"t."
    text = struct.pack("<I", 60_000) + b"x" * 60_000
    encoded = b"c_codecs\nencode\nh\x00\x8c\x06latin1\x86R"
    bytes_again = b"X" + text + b"q\x000(" + encoded * 2000 + b"t."
    return {
        "deep lists": (b"\x80\x04" + b"]" * DEEP + b"a" * (DEEP - 1) + b".", "it is too deep"),
        "deep tuples": (b"\x80\x04)" + b"\x85" * DEEP + b".", "it is too deep"),
        "deep dicts": (
            b"\x80\x04" + b"}K\x01" * DEEP + b"N" + b"s" * DEEP + b".",
            "it is too deep",
        ),
        "deep marks": (b"\x80\x04" + b"(" * DEEP + b"t" * DEEP + b".", "it is too deep"),
        "deep states": (
            b"\x80\x04N" + b"q\x000cargparse\nNamespace\n)\x81}\x8c\x01ah\x00sb" * 20_000 + b".",
            "it is too deep",
        ),
        "deep calls": (
            b"\x80\x04)" + b"q\x000ctorch\ndevice\nh\x00\x85R" * 20_000 + b".",
            "it is too deep",
        ),
        "deep key": (b"\x80\x04})" + b"\x85" * DEEP + b"Ns.", "uses tuple as a key"),
        "deep set": (b"\x80\x04\x8f()" + b"\x85" * DEEP + b"\x90.", "uses tuple as a key"),
        "frozen deep": (b"\x80\x04()" + b"\x85" * DEEP + b"\x91.", "uses tuple as a key"),
        "deep chain": (
            b"\x80\x04" + _chain(5000) + b".",
            "it is too deep",
        ),
        "list in itself": (b"\x80\x04]q\x00h\x00a.", "holds itself"),
        "dict in itself": (b"\x80\x04}q\x00K\x01h\x00s.", "holds itself"),
        "object in itself": (
            b"\x80\x04cargparse\nNamespace\n)\x81q\x00}\x8c\x01ah\x00sb.",
            "holds itself",
        ),
        "list as a key": (b"\x80\x04}]Ns.", "uses list as a key"),
        "number as a key": (
            b"\x80\x04}\x8a\x0a" + b"\x7f" * 10 + b"Ns.",
            "expected texts and numbers of a usual length",
        ),
        "doubled lists": (b"\x80\x04(" + lists + b"t.", "repeats parts of itself"),
        "doubled tuples": (b"\x80\x04(" + tuples + b"t.", "repeats parts of itself"),
        "wide": (b"\x80\x04" + wide, "repeats parts of itself"),
        "sets of one list": (b"\x80\x04" + sets, "far more than its own size"),
        "bytes of one text": (b"\x80\x04" + bytes_again, "far more than its own size"),
    }


def _chain(length: int) -> bytes:
    """Lists, each put in the one before it while it is still empty."""
    first = b"]r" + struct.pack("<I", 0)
    links = b"".join(
        b"]r"
        + struct.pack("<I", n + 1)
        + b"0j"
        + struct.pack("<I", n)
        + b"j"
        + struct.pack("<I", n + 1)
        + b"a0"
        for n in range(length)
    )
    return first + b"0" + links + b"j" + struct.pack("<I", 0)
