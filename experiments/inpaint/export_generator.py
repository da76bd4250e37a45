"""Measure a trained portraits-inpaint on unseen people, and write the bundled file.

    python -m experiments.inpaint.export_generator runs/inpaint

Writes regen/generators/bundled/portraits-inpaint.safetensors (half precision),
experiments/results/inpaint_generator.json and a contact sheet: what was given, what the network
fills it with, and the person.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from experiments.recipe import card, write_results
from regen.edits.schema import NamedRegion
from regen.files import tensor_file
from regen.generators import bundled
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.protocol import Sample
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.files import save_rfr
from regen.generators.rfr.generator import Inpainter
from regen.generators.rfr.source import PARTS
from regen.images import grid
from regen.metrics import masked_distance
from regen.seeds import HELD_OUT

NAME = "portraits-inpaint"
COUNT, GROW = 64, 2


def trained(folder: Path) -> Inpainter:
    """What a finished training left, rounded to half precision as it is shipped."""
    stored = torch.load(folder / "generator.pt", weights_only=True)
    generator = Inpainter(RFRConfig(**stored["config"])).eval().requires_grad_(False)
    generator.network.load_state_dict(stored["state"])
    generator.half().float()
    generator.oracle = generator.limited(bundled.renderer(generator.image_size))
    return generator


def hidden(generator: Inpainter, part: str, count: int = COUNT) -> list[Sample]:
    """People that nothing was tuned on, with a part hidden."""
    nose = {"hole": NamedRegion(part), "grow": GROW}
    return [generator.sample({"seed": seed, **nose}) for seed in HELD_OUT.take(count)]


def measure(generator: Inpainter) -> dict[str, Any]:
    """L1 in [-1, 1] of what is filled to the person, in the holes, by part."""
    oracle, errors = generator.oracle, {}
    assert oracle is not None
    for part in PARTS:
        samples = hidden(generator, part)
        holes = generator.changeable(generator.latents(samples))
        error = masked_distance(generator.images(samples), oracle.plain(samples), holes, None)
        errors[part] = round(float(error["l1"] or 0), 4)
    return {"people": f"{HELD_OUT.first}-{HELD_OUT.first + COUNT - 1}", "grow": GROW, "l1": errors}


def sheet(generator: Inpainter, columns: int = 12) -> Tensor:
    """For every part: what was given, what it is filled with, the person."""
    assert generator.oracle is not None
    rows = []
    for part in PARTS:
        samples = hidden(generator, part, columns)
        given = generator.shown_input(generator.latents(samples))
        rows += [given, generator.images(samples), generator.oracle.plain(samples)]
    return grid(torch.cat(rows), columns)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def main(folder: Path) -> None:
    """Measure and bundle the generator trained in FOLDER."""
    generator = trained(folder)
    digest = {bundled.LOADED_DIGEST: tensor_file.digest(generator.state_dict())}
    path = BUNDLED_FOLDER / f"{NAME}.safetensors"
    save_rfr(path, generator, card={**card("inpaint"), **digest}, half=True)
    write_results("inpaint", measure(generator), folder, sheet(generator))


if __name__ == "__main__":
    main()
