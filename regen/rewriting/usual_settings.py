"""The settings of a rewrite that nobody gave: those of the family, the projector or the usual cut.

The value layer is that of the projector where there is one. Where there is none, it is the
generator's own, and the memory is as long as the pattern needs. What somebody gave is kept, except
for the value layer of a preset, which not every generator has a projector for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from regen.generators import bundled
from regen.generators.protocol import Generator
from regen.projector.files import Projector, open_projector
from regen.rewriting.composite import Example
from regen.rewriting.examples import mean_area
from regen.rewriting.precedence import DEFAULT, FAMILY, Merged, PartialSettings
from regen.rewriting.usual_steps import SMALL_AREA


def with_family_settings(merged: Merged, generator: Generator) -> Merged:
    """Settings with those that suit the generator's family in place of defaults."""
    usual = generator.usual_settings.items()
    kept = {name: value for name, value in usual if merged.said_by[name] == DEFAULT}
    return merged.overridden(PartialSettings(f"{FAMILY}{generator.family}", kept))


def find_projector(
    merged: Merged, path: Path | str | None, generator: Generator, examples: Sequence[Example]
) -> tuple[Merged, Projector | None]:
    """Settings with a value layer, and the projector, if there is one.

    Whether a projector that is given is for the value layer that is given, is not checked here.

    Args:
        merged: All that were given.
        path: A projector's file or run folder; None for a bundled one.
        generator: The generator that it belongs to.
        examples: Decide how long the memory is where there is no projector.

    Raises:
        StoreError: If the file is damaged, or not a projector.
        ProjectorError: If it belongs to another generator.
    """
    merged = _without_layer_of_preset(merged, path, generator)
    layer = merged.settings.value_layer
    known = bundled.projectors_of(generator.digest(), rewriting=layer is None)
    if path is None and not (known if layer is None else layer in known):
        return without_projector(merged, generator, examples), None
    projector = open_projector(path, generator, value_layer=layer)
    if layer is None:
        own_layer = {"value_layer": projector.value_layer}
        return merged.overridden(PartialSettings("projector", own_layer)), projector
    return merged, projector


def _without_layer_of_preset(
    merged: Merged, path: Path | str | None, generator: Generator
) -> Merged:
    """A preset's value layer counts only where the generator has a bundled projector for it.

    Where a projector is given, or only others are bundled, its own layer is used.
    """
    layer = merged.settings.value_layer
    if layer is None or not merged.said_by["value_layer"].startswith("preset "):
        return merged
    if path is None and layer in bundled.projectors_of(generator.digest()):
        return merged
    return merged.overridden(PartialSettings(DEFAULT, {"value_layer": None}))


def without_projector(merged: Merged, generator: Generator, examples: Sequence[Example]) -> Merged:
    """Settings where there is no projector; those that no source gives are the generator's own.

    Recall is measured on the image then, which needs no values of foreign patterns.
    """
    value_layer, memory_layers = usual_cut(generator, examples, merged.settings.value_layer)
    usual = {
        "value_layer": value_layer,
        "memory_layers": memory_layers,
        "fit.recall": "image",
    }
    unsaid = {name: value for name, value in usual.items() if merged.said_by[name] == DEFAULT}
    return merged.overridden(PartialSettings(DEFAULT, unsaid))


def usual_cut(
    generator: Generator, examples: Sequence[Example], layer: int | None
) -> tuple[int, int]:
    """`Generator.usual_cut` for patterns of this size, with `layer` as the value layer if given."""
    usual, memory_layers = generator.usual_cut(large=mean_area(examples) > SMALL_AREA)
    return layer or usual, min(memory_layers, layer or usual)


def no_projector_note(generator: Generator, layer: int, recall: str) -> str:
    """What a rewrite is learned from without a projector for `layer`, and what one would add."""
    name = generator.source_name or "this generator"
    if recall == "image":
        instead = "the rule is learned from images alone"
        more = "values to learn from as well"
    else:
        instead = "values are found by gradient steps on each target instead"
        more = "values that the memory learns more easily"
    return (
        f"no projector is known for {name} at value layer {layer}; {instead}. A projector would "
        f"give {more}, and project any image; `regen train-projector` makes one"
    )
