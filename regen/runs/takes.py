"""Which inputs of a sample a generator takes: holes to fill, styles to translate in."""

from __future__ import annotations

from collections.abc import Iterable

from regen.errors import GeneratorError
from regen.generators.protocol import Generator

_HOLES = ("hole", "holes", "grow", "passes")


def check_takes(generator: Generator, inputs: Iterable[str]) -> None:
    """Check that a generator has a use for inputs, by the names of their options.

    Raises:
        GeneratorError: If one is for generators that fill holes, or that translate, and this one
            does not.
    """
    for name in inputs:
        if name in _HOLES and not generator.changes_in_part:
            raise _refused(generator, name, "one that fills holes", "portraits-inpaint")
        if name == "style" and not generator.takes_styles:
            raise _refused(generator, name, "one that translates", "portraits-cats")


def _refused(generator: Generator, name: str, expected: str, example: str) -> GeneratorError:
    return GeneratorError(
        f"generator for --{name}",
        got=f"{generator.source_name or 'one'}, of the family {generator.family}",
        expected=expected,
        remedy=f"leave out --{name}, or choose another generator: {example} for instance",
    )
