"""Whether the oracle that edits name can measure the result, asked before anything is fitted."""

from __future__ import annotations

from collections.abc import Collection

from regen.edits.schema import Edits, PasteOracle
from regen.errors import EditsError, within
from regen.generators.protocol import Generator, Source
from regen.generators.samples import reserved_samples
from regen.seeds import UNSEEN


def check_oracle(edits: Edits, generator: Generator) -> None:
    """Check that the generator has the oracle that edits name.

    Raises:
        EditsError: If it has none, or one that does not know the pattern.
    """
    if not edits.oracle or isinstance(edits.oracle, PasteOracle):
        return
    if generator.oracle is None:
        raise EditsError(
            edits.where("oracle"),
            got=repr(edits.oracle),
            expected="a generator with one, such as the bundled portraits",
            remedy="remove it",
        )
    with within(edits.where("oracle"), EditsError):
        generator.oracle.changed([], edits.oracle)


def check_oracle_knows(
    edits: Edits, generator: Generator, source: Source, taken: Collection[int]
) -> None:
    """Check that the oracle knows the samples that the result is measured on.

    Args:
        edits: What names the oracle.
        generator: Has it.
        source: The generator's samples.
        taken: Numbers of the source that are targets.

    Raises:
        EditsError: If it does not.
    """
    if generator.oracle is None or edits.oracle_pattern is None:
        return
    (sample,) = reserved_samples(source, UNSEEN, 1, taken)
    if not generator.oracle.knows(sample):
        raise EditsError(
            edits.where("oracle"),
            got=f"{edits.oracle!r} for {sample.label}, which the renderer does not know",
            expected="samples that it draws, by their seeds",
            remedy='remove it, or give {"paste": true}',
        )
