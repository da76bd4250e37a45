"""Table 2: the rewrite. Every way of making it, on every pattern, from one target and from three.

    python -m experiments.table2_rewrite -o experiments/results
    python -m experiments.table2_rewrite --quick -o out/quick

The same command resumes a stopped run: at most one row is lost. Under torchrun the processes share
the rows, and the first writes the table. What matters most comes first. With
a generator of one's own an edits file says what to rewrite; there is no oracle then, save for the
pseudo-oracle that the file may ask for, the exemplar pasted at the same place:

    python -m experiments.table2_rewrite --generator ffhq.safetensors --edits eyes.json -o out/ffhq

Value layer and projector of the command line are for all rows but `default`, which in a full run is
what `regen rewrite` does with the edits file: that says which it takes.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
import torch

from experiments.baselines.rdgm import RdgmConfig
from experiments.tables.rewrite_rows import Table2Settings
from experiments.tables.rewrite_scenes import (
    PATTERN_ROWS,
    Scene,
    ordered_scenes,
    scene_of_file,
)
from experiments.tables.rewrite_table import Table2, brief
from experiments.tables.rows import Numbers
from regen import RegenError, open_generator, read_edits
from regen.generators.protocol import Generator
from regen.runs.progress import Progress
from regen.training.distributed import workers
from regen.training.environment import is_first

CPU = torch.device("cpu")


def _listed(_: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(part.strip() for part in value.split(","))


def _scenes(
    generator: Generator, edits: Path | None, patterns: tuple[str, ...] | None, quick: bool
) -> list[Scene]:
    """That of an edits file, or those of the patterns that the generator's oracle knows."""
    if edits is not None:
        return [scene_of_file(read_edits(edits), edits)]
    if generator.oracle is None:
        raise RegenError(
            "patterns",
            got=f"the generator {generator.source_name}",
            expected="--edits FILE to say what to do",
        )
    unknown = set(patterns or ()) - set(PATTERN_ROWS)
    if unknown:
        raise RegenError("--patterns", got=sorted(unknown), expected=", ".join(PATTERN_ROWS))
    return ordered_scenes(PATTERN_ROWS[:1] if quick else PATTERN_ROWS, (1, 3))


def _overridden(
    scene: Scene, generator: str, projector: str | None, value_layer: int | None
) -> Scene:
    """The scene with what the command line says in place of what its edits say.

    What they say of projector and value layer is kept beside it, for the row `default`.
    """
    given = replace(scene.edits, generator=generator)
    if projector is None and value_layer is None:
        return replace(scene, edits=given)
    edits = replace(
        given,
        projector=projector or given.projector,
        value_layer=value_layer or given.value_layer,
    )
    return replace(scene, edits=edits, given=given)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@click.option("--name", default="table2", show_default=True, help="Of the files in it.")
@click.option("--work", type=click.Path(path_type=Path), default="out/table2", show_default=True)
@click.option("--generator", default="portraits", show_default=True, help="Name or path.")
@click.option(
    "--projector",
    type=click.Path(exists=True, resolve_path=True),
    help="For all rows but the default, which does what the edits say.",
)
@click.option(
    "--value-layer",
    type=click.IntRange(1),
    help="For all rows but the default; by default the projector's.",
)
@click.option("--edits", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rows", callback=_listed, help="Rows to compute, with commas; all by default.")
@click.option("--patterns", callback=_listed, help="Of portraits; all by default.")
@click.option("--targets", callback=_listed, help="1, 3 or both, the default.")
@click.option("--steps", type=click.IntRange(1), default=Table2Settings.steps, show_default=True)
@click.option(
    "--seeds",
    type=click.IntRange(2),
    default=Table2Settings.seeds,
    show_default=True,
    help="Unseen samples that are measured.",
)
@click.option(
    "--tuning/--no-tuning",
    default=True,
    show_default=True,
    help="Choose the weights of the paper's rows on tuning seeds, or take those of regen rewrite.",
)
@click.option(
    "--rdgm-samples",
    type=click.IntRange(1),
    default=RdgmConfig.samples,
    show_default=True,
    help="Latents that RDGM's statistics of keys are taken over.",
)
@click.option("--device", default="cpu", show_default=True)
@click.option("--quick", is_flag=True, help="Check the machinery; the numbers are not meaningful.")
def main(
    output: Path,
    name: str,
    work: Path,
    generator: str,
    projector: str | None,
    value_layer: int | None,
    edits: Path | None,
    rows: tuple[str, ...] | None,
    patterns: tuple[str, ...] | None,
    targets: tuple[str, ...] | None,
    steps: int,
    seeds: int,
    tuning: bool,
    rdgm_samples: int,
    device: str,
    quick: bool,
) -> None:
    """Compute Table 2; the table has every cell that this run or an earlier one has finished."""
    torch.manual_seed(0)
    settings = replace(
        Table2Settings(),
        steps=steps,
        closed_form_steps=max(1, steps // 5),
        tune=tuning,
        rdgm=RdgmConfig(samples=rdgm_samples),
    )
    settings = settings.quick() if quick else replace(settings, seeds=seeds)
    try:
        opened = open_generator(generator, device=device)
        scenes = [
            _overridden(scene, generator, projector, value_layer)
            for scene in _scenes(opened, edits, patterns, quick)
        ]
        table = Table2(opened, scenes, settings, work)
        _compute(table, rows, patterns, targets)
        if is_first():
            table.write(output, name)
    except RegenError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"stopped; what is done is in {work}; the same command resumes", err=True)
        sys.exit(130)


def _compute(
    table: Table2,
    rows: tuple[str, ...] | None,
    patterns: tuple[str, ...] | None,
    targets: tuple[str, ...] | None,
) -> None:
    """The cells that were asked for, in the order of the scenes."""
    known = [method.row for method in table.methods()]
    if rows is not None and not set(rows) <= set(known):
        raise RegenError("--rows", got=",".join(rows), expected=", ".join(known))
    cells = [
        (scene, method)
        for scene in table.scenes
        for method in table.methods()
        if (rows is None or method.row in rows)
        and (patterns is None or scene.pattern in patterns)
        and (targets is None or str(scene.targets) in targets)
    ]
    with workers(CPU) as group, Progress(len(cells[group.rank :: group.count]), "Table 2") as bar:
        for scene, method in cells[group.rank :: group.count]:
            numbers = table.compute(method, scene, table.seeds).result["measured"]["numbers"]
            bar.advance(1, f"{scene.name} {method.row}")
            click.echo(f"{scene.name} {method.row}: {_brief(numbers)}")
        group.wait()


def _brief(numbers: Numbers) -> str:
    names = ("inside_lpips_after", "inside_l1_after", "locality_lpips", "outside_l1", "seconds")
    return ", ".join(f"{name} {brief(numbers.get(name))}" for name in names)


if __name__ == "__main__":
    main()
