"""The JSON at the start of a safetensors file, believed only as far as it is checked.

    {"__metadata__": {"regen": "..."}, "mapping.w_mean": {"dtype": "F32", "shape": [512],
     "data_offsets": [0, 2048]}, ...}

Offsets count from the end of the JSON. Numbers that do not fit, sizes that do not fit the bytes,
and tensors without end are found here, before anything is allocated for them.
"""

from __future__ import annotations

import math
from typing import Any

from regen.files.budget import MOST_TENSORS, fits
from regen.files.json_text import parse_json

METADATA = "__metadata__"
_BITS = {"BOOL": 8, "BF16": 16, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8}
_BITS |= {f"{kind}{bits}": bits for kind in "IU" for bits in (8, 16, 32, 64)}
_BITS |= {f"F{bits}": bits for bits in (16, 32, 64)}


def parse_head(text: bytes) -> tuple[dict[str, Any], int]:
    """The JSON object, and how many bytes of tensors it announces.

    Raises:
        ValueError: If it is not one; the message says why, as a clause about it.
    """
    head = parse_json(text)
    if not isinstance(head, dict):
        raise ValueError("it is not an object")
    entries = {name: entry for name, entry in head.items() if name != METADATA}
    if len(entries) > MOST_TENSORS:
        raise ValueError(f"it has {len(entries):,} tensors, expected at most {MOST_TENSORS:,}")
    return head, max((_end_of(name, entry) for name, entry in entries.items()), default=0)


def _end_of(name: str, entry: object) -> int:
    """Where the bytes of a tensor end."""
    sizes, offsets = None, None
    if isinstance(entry, dict):
        sizes, offsets = entry.get("shape"), entry.get("data_offsets")
    if not isinstance(sizes, list) or not isinstance(offsets, list) or len(offsets) != 2:
        raise ValueError(f"{name[:80]} has no shape and no two offsets")
    assert isinstance(entry, dict)
    if not fits(sizes) or not all(fits([offset]) for offset in offsets):
        raise ValueError(f"sizes or offsets of {name[:80]} are negative, too large or not integers")
    bits, (first, end) = _BITS.get(str(entry.get("dtype"))), offsets
    if bits is not None and math.prod(sizes) * bits != 8 * (end - first):
        raise ValueError(f"{name[:80]} has {end - first:,} bytes for a shape of {sizes}")
    return int(end)
