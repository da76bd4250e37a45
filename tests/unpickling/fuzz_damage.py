"""Ways to damage a file at random: its bytes, the entries of a zip, the header of safetensors."""

from __future__ import annotations

import copy
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.unpickling.hostile_tensors import zipped

_SPLICES = [
    *(bytes([code]) for code in range(256)),
    b"cos\nsystem\n",
    b"cbuiltins\nset\n",
    b"ccollections\nCounter\n",
    b"ctorch\nSize\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"\x8a\x08" + b"\xff" * 7 + b"\x7f",
    b"\x8a\xa7" + b"\x7f" * 167,
    b"J\xff\xff\xff\xff",
    b"j\xff\xff\xff\xff",
    b"h\x00",
    b"h\x01",
]
_COUNTS = (0, 1, 127, 255, 256, (1 << 31) - 1, (1 << 32) - 1, 1 << 63)
_DEEP: Any = []
for _ in range(900):
    _DEEP = [_DEEP]
# What a value may become that JSON can say, as Python writes it.
NASTY: tuple[Any, ...] = (
    *(0, -1, 1, 3, 4096, 65536, 1 << 31, 1 << 48, 1 << 63, 1 << 70, 10**400),
    *(0.0, -0.5, 1e30, 1e308, float("inf"), float("nan"), True, False, None),
    *("", "stylegan2", "x\x1b[2J\u202e", "\ud800", "x" * 3000),
    *([], {}, [0], [1 << 47, 1 << 47, 0], [1, None], [[1]], {"a": {}}, _DEEP),
)


def damaged_bytes(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """The data, damaged in one to four places."""
    out = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(out) + 1)
        match random.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << random.randrange(8)
            case 1:
                del out[at:]
            case 2:
                out[at:at] = random.choice(_SPLICES)
            case 3:
                splice = random.choice(_SPLICES)
                out[at : at + len(splice)] = splice
            case 4:
                size = random.choice((1, 2, 4, 8))
                value = random.choice(_COUNTS)
                out[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
            case 5:
                length = random.randint(1, 64)
                out[at:at] = out[max(at - length, 0) : at] * random.choice((1, 1, 2, 50))
            case 6:
                other = random.choice(others)
                start = random.randrange(len(other))
                out[at:at] = other[start : start + random.randint(1, 64)]
    return bytes(out)


def damaged_zip(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """A zip that is whole again, with other entries in it; what is not a zip, as `damaged_bytes`.

    Most damage to the bytes of a zip is found by what surrounds its entries, so that little of it
    reaches their readers.
    """
    if data[:2] != b"PK" or random.random() < 0.4:
        return damaged_bytes(data, random, others)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    names = list(entries)
    name = random.choice(names)
    pickle = next(each for each in names if each.endswith("data.pkl"))
    match random.randrange(5):
        case 0:
            del entries[name]
        case 1:
            entries[name] = entries[random.choice(names)]
        case 2:
            entries[f"{name}{random.choice(('x', '/x', '/../x', '.pkl', chr(0x202E)))}"] = b"x"
        case 3:
            entries[name] = damaged_bytes(entries[name] or b"x", random, others)
        case 4:
            entries[pickle] = damaged_bytes(entries[pickle], random, others)
    return zipped(entries)


def damaged_safetensors(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """A file whose header is JSON again, with other values in it; sometimes damaged bytes."""
    if random.random() < 0.25:
        return damaged_bytes(data, random, others)
    (length,) = struct.unpack("<Q", data[:8])
    head = json.loads(data[8 : 8 + length])
    ours = json.loads(head["__metadata__"]["regen"]) if "__metadata__" in head else None
    for _ in range(random.randint(1, 3)):
        target = head if ours is None or random.random() < 0.3 else ours
        parts = [ours.get(name) for name in ("architecture", "discriminator")] if ours else []
        parts = [part for part in parts if isinstance(part, dict) and part]
        inside = target is ours and parts and random.random() < 0.7
        change(random.choice(parts) if inside else target, random)
    if ours is not None and isinstance(head.get("__metadata__"), dict):
        head["__metadata__"]["regen"] = json.dumps(ours)
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def change(target: Any, random: Random, values: Sequence[Any] = NASTY) -> None:
    """Change to one of the values, remove or add one value, at any depth."""
    while True:
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(target[key], (dict, list)) and target[key] and random.random() < 0.8:
            target = target[key]
            continue
        match random.randrange(6):
            case 0:
                del target[key]
            case 1 if isinstance(target, dict):
                target[f"{key}x"] = target[key]
            case 2:
                target[key] = target[random.choice(keys)]
            case _:
                value = random.choice(values)
                target[key] = value if value is _DEEP else copy.deepcopy(value)
        return
