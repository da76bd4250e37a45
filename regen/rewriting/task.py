"""What a rewrite is made from: an edits file with everything it names opened and checked, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regen.edits.schema import Edits, read_edits
from regen.errors import EditsError, RegenError
from regen.generators.protocol import Generator, Source, Split
from regen.generators.registry import open_generator
from regen.projector.files import Projector, load_projector, open_projector, projectors_of
from regen.rewriting.examples import load_examples, taken_by
from regen.rewriting.layer_choice import choose_layer
from regen.rewriting.layer_trials import LayerChoice
from regen.rewriting.rule import Example
from regen.rewriting.settings import RewriteSettings


@dataclass(frozen=True)
class Task:
    """A rewrite to make.

    Attributes:
        edits: What the edits file says.
        settings: Everything else, merged with what the edits file says about settings.
        generator: On the device to compute on.
        source: Its samples: those to preserve, to measure keys on, and unseen ones.
        examples: One for each target, in the order of the edits file.
        projector: The generator's own, for the split's value layer.
        split: The generator, cut.
        layer_choice: How the value layer was chosen, or None if it was given.
    """

    edits: Edits
    settings: RewriteSettings
    generator: Generator
    source: Source
    examples: Sequence[Example]
    projector: Projector
    split: Split
    layer_choice: LayerChoice | None = None

    @property
    def taken(self) -> set[int]:
        """Numbers of the source that are targets."""
        return taken_by(self.edits)

    def recorded(self) -> dict[str, Any]:
        """What settings.json and the report say about how it was made."""
        recorded = {
            **asdict(self.settings),
            "edits": self.edits.to_json(),
            "value_layer": self.split.value_layer,
            "memory_layers": self.split.memory_layers,
        }
        if self.layer_choice is not None:
            recorded["layer_choice"] = self.layer_choice.recorded()
        return recorded


def resolve(
    edits: Edits | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projectors: Sequence[Path | str] = (),
    images: Path | None = None,
    device: str = "cpu",
    try_layers: bool = False,
    on_trial: Callable[[int, int], None] | None = None,
) -> Task:
    """Open everything that a rewrite needs, each thing once.

    Args:
        edits: An edits file, or what one says.
        generator: In place of the one that the edits name.
        settings: What the edits do not say; by default those of the preset "default".
        projectors: Files or run folders, in place of the edits' projector. More than one are
            candidates for `try_layers`.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute; an open generator stays where it is.
        try_layers: Choose value layer and projector by trying, see `choose_layer`.
        on_trial: Called with the number of cuts tried and of all.

    Raises:
        RegenError: On bad input of any kind.
    """
    edits = edits if isinstance(edits, Edits) else read_edits(edits)
    settings = (settings or RewriteSettings()).with_edits(edits)
    if not isinstance(generator, Generator):
        generator = open_generator(generator or edits.generator, device=device)
    _check_oracle(edits, generator)
    source, examples = generator.source(images), load_examples(edits, generator)
    paths = list(projectors) or ([edits.projector] if edits.projector else [])
    choice = None
    layer = edits.value_layer or settings.value_layer
    memory_layers = edits.memory_layers or settings.memory_layers
    if try_layers:
        known = [load_projector(path, generator) for path in paths or projectors_of(generator)]
        choice, projector = choose_layer(
            generator,
            source,
            examples,
            settings,
            known,
            on_trial,
            memory_layers=edits.memory_layers,
            taken=taken_by(edits),
        )
        layer, memory_layers = choice.best.value_layer, choice.best.memory_layers
    else:
        path = paths[0] if paths else None
        projector = open_projector(path, generator, value_layer=layer)
    layer = layer or projector.value_layer
    projector.check_layer(layer)
    split = generator.split(layer, memory_layers)
    return Task(edits, settings, generator, source, examples, projector, split, choice)


def _check_oracle(edits: Edits, generator: Generator) -> None:
    """Raise what can be known of the edits' oracle before anything long begins."""
    if not edits.oracle:
        return
    if generator.oracle is None:
        raise EditsError(
            "oracle",
            got=repr(edits.oracle),
            expected="a generator with one, such as the bundled portraits",
            remedy="remove it",
        )
    try:
        generator.oracle.changed([], edits.oracle)
    except RegenError as error:
        raise EditsError(
            f"oracle: {error.problem}", got=error.got, expected=error.expected, remedy=error.remedy
        ) from error
