"""Files beside those of a MUNIT's generator that people open in their place, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regen.errors import GeneratorError
from regen.generators.munit.reading import as_dict

_WANTED_2018 = "gen_XXXXXXXX.pt, the generator of the same training"
_WANTED_2021 = "a checkpoint with net_G"


def check_mistakes(content: Mapping[str, Any], where: str) -> None:
    """Raise GeneratorError for a file of a MUNIT's training that holds no translating generator."""
    found = _mistake(content)
    if found is not None:
        kind, wanted = found
        raise GeneratorError(f"{where}: kind of file", got=kind, expected=wanted)


def _mistake(content: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a file is, and what would be needed."""
    halves = [as_dict(content.get(half)) for half in "ab"]
    if all("param_groups" in as_dict(content.get(part)) for part in ("gen", "dis")):
        return "optimizer.pt of MUNIT, the state of its optimisers", _WANTED_2018
    if all(any(name.startswith("cnns.") for name in half) for half in halves):
        return "dis_XXXXXXXX.pt of MUNIT, its discriminators", _WANTED_2018
    if all("enc.model.0.conv.weight" in half for half in halves):
        return "the generator of a UNIT, which has no styles", "that of a MUNIT"
    if "enc_content.model.0.conv.weight" in content:
        return "one half of a MUNIT's generator", f"both halves, a and b: {_WANTED_2018}"
    if "net_D" in content and "net_G" not in content:
        return "a discriminator of imaginaire's, net_D", _WANTED_2021
    if any("discriminator_a." in name for name in content):
        return "the discriminators of an improved MUNIT", _WANTED_2021
    return None
