"""The architecture of a MUNIT network: what it says, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from regen.errors import GeneratorError
from regen.generators.munit.config import MUNITConfig


def test_the_defaults_are_those_of_the_originals() -> None:
    config = MUNITConfig()
    assert config == MUNITConfig("2018", width=64, blocks=4, style=8, mapping=256, size=256)
    assert config.convolutions == 10 and not config.improved
    assert MUNITConfig(width=16).channels == (16, 32, 64) and MUNITConfig("2021").improved


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "2019"}, "layout: got '2019', expected 2018 or 2021"),
        ({"layout": 2018}, "layout: got 2018, expected 2018 or 2021"),
        ({"width": 7}, "width: got 7, expected a multiple of 2"),
        ({"width": 0}, "width: got 0, expected an integer from 2 to "),
        ({"width": 1 << 40}, "width: got 1099511627776, expected an integer from 2 to "),
        ({"blocks": 0}, "blocks: got 0, expected an integer from 1 to 64"),
        ({"blocks": True}, "blocks: got True, expected an integer from 1 to 64"),
        ({"style": 0}, "style: got 0, expected an integer from 1 to "),
        ({"mapping": 2.0}, "mapping: got 2.0, expected an integer from 1 to "),
        ({"size": 42}, "size: got 42, expected a multiple of 4"),
        ({"size": 8}, "size: got 8, expected an integer from 16 to "),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(GeneratorError) as error:
        MUNITConfig(**changes)
    assert str(error.value).startswith(message)
