"""What a rewrite is made from: an edits file with everything it names opened and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from regen.edits.schema import Edits, read_edits
from regen.generators.protocol import Split
from regen.generators.registry import AnyGenerator, open_generator
from regen.portraits import Oracle
from regen.projector.files import Projector, open_projector
from regen.rewriting.precedence import Merged, PartialSettings, resolve
from regen.rewriting.settings import RewriteSettings
from regen.runs.rewrite.examples import LabelledExample, check_names, load_examples
from regen.runs.rewrite.layer_trials import LayerChoice


@dataclass(frozen=True)
class Task:
    """A rewrite to make.

    Attributes:
        edits: What the edits file says.
        settings: All settings, merged; the value layer is said.
        generator: On the device to compute on.
        projector: The generator's own.
        split: The generator, cut at the projector's value layer.
        examples: One for each target, in the order of the edits file.
        layer_choice: How the value layer was chosen, or None if it was given.
        said_by: Who said each setting, see `regen.rewriting.precedence`.
    """

    edits: Edits
    settings: RewriteSettings
    generator: AnyGenerator
    projector: Projector
    split: Split[Any]
    examples: list[LabelledExample]
    layer_choice: LayerChoice | None = None
    said_by: Mapping[str, str] = field(default_factory=dict)

    def recorded(self) -> dict[str, Any]:
        """What settings.json and the report say about how it was made."""
        recorded = {
            **asdict(self.settings),
            "edits": self.edits.to_json(),
            "said_by": dict(self.said_by),
        }
        if self.layer_choice is not None:
            recorded["layer_choice"] = self.layer_choice.recorded()
        return recorded


def load_task(edits: Edits | Path | str, settings: RewriteSettings | Merged, device: str) -> Task:
    """Open everything that an edits file names.

    Raises:
        RegenError: On bad input of any kind.
    """
    edits = edits if isinstance(edits, Edits) else read_edits(edits)
    merged = resolve(settings, edits)
    check_names(edits)
    if edits.oracle_pattern:
        Oracle(edits.oracle_pattern)  # an unknown one is told now, not after the fit
    generator = open_generator(edits.generator, device=device)
    layer = merged.settings.value_layer
    projector = open_projector(edits.projector, edits.generator, generator, value_layer=layer)
    if layer is None:
        layer = projector.value_layer
        merged = merged.overridden(PartialSettings("projector", {"value_layer": layer}))
    projector.check_layer(layer)
    split = generator.split(layer, merged.settings.memory_layers)
    examples = load_examples(edits, generator)
    return Task(
        edits, merged.settings, generator, projector, split, examples, said_by=merged.said_by
    )
