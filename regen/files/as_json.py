"""Values of regen's in the types that JSON has."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor


def to_json(value: object) -> object:
    """`value` in the types JSON has: dataclasses and mappings become objects, paths strings.

    A number that is not finite becomes null, since JSON has no such numbers.

    Raises:
        TypeError: If `value` holds anything else, which is a bug.

    Example:
        >>> to_json({"path": Path("a"), "range": (1, math.inf)})
        {'path': 'a', 'range': [1, None]}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, Tensor):
        return to_json(value.tolist())
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
