"""Options that a generator has no use for."""

from __future__ import annotations

import pytest

from regen.errors import GeneratorError
from regen.generators.registry import open_generator
from regen.runs.takes import check_takes


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("portraits", []),
        ("portraits-inpaint", ["hole", "holes", "grow", "passes"]),
        ("portraits-cats", ["style"]),
    ],
)
def test_a_generator_takes_what_it_can_use(name: str, taken: list[str]) -> None:
    generator = open_generator(name)
    check_takes(generator, taken)
    for option in ("hole", "holes", "grow", "passes", "style"):
        if option not in taken:
            with pytest.raises(GeneratorError, match=f"for --{option}: got {name}, of the family"):
                check_takes(generator, [option])


def test_the_message_names_one_that_does() -> None:
    message = (
        "generator for --style: got portraits, of the family stylegan2, expected one that "
        "translates; leave out --style, or choose another generator: portraits-cats for instance"
    )
    with pytest.raises(GeneratorError) as raised:
        check_takes(open_generator("portraits"), ["style"])
    assert str(raised.value) == message
