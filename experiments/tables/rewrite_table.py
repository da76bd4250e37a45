"""Table 2 as a whole: scenes and rows from work folder to files.

A *cell* is one row on one scene. `Table2.compute` makes one or finds it; `Table2.write` puts
whatever is done into NAME.{json,csv,md,png}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from experiments.tables.provenance import provenance
from experiments.tables.resume import Finished, WorkFolder
from experiments.tables.rewrite_bench import Bench
from experiments.tables.rewrite_measures import (
    PSEUDO_ORACLE,
    Reference,
    generator_floor,
    measure_images,
    reference,
)
from experiments.tables.rewrite_rows import Method, Table2Settings, Tuned, methods
from experiments.tables.rewrite_scenes import Scene
from experiments.tables.rewrite_tuning import grid_size, tune, tuning_note, tuning_scenes
from experiments.tables.rows import TABLE2_METRICS, Measured, json_row
from experiments.tables.sheets import ImageRow, image_sheet, save_png
from experiments.tables.write import write_tables
from regen.edits.schema import PasteOracle
from regen.generators.protocol import Generator
from regen.metrics import describe_lpips, try_lpips
from regen.rewriting.task import Task
from regen.runs.progress import Progress

FLOOR_NOTE = (
    "`generator_floor` in the JSON file is the distance inside of the unchanged generator to the "
    "renderer without the pattern: no rewrite can be expected to come nearer to the oracle."
)
NOTES = (
    "Unseen seeds; a number is the mean over them. Locality: LPIPS of the image before to the "
    "image after, the region painted grey. Inside: LPIPS and L1 in the region to the oracle, "
    "before and after. Outside L1: before to after. Frechet: distance to the oracle's images on "
    "features of LPIPS's backbone; it is not FID. L1 is on images in [-1, 1].",
    "Seconds: from exemplars and targets to the finished weights; for patch_transfer, which has "
    "none, editing the measured images. MB: the most memory the process held meanwhile.",
    FLOOR_NOTE,
)
PSEUDO_NOTE = (
    f"The pseudo-oracle is {PSEUDO_ORACLE}: into each unseen sample, at the mean place of the "
    "targets' regions. It is nearly what a perfect rewrite would generate, but adapts to neither "
    "light nor pose; so there is no generator's floor."
)


class Table2:
    """Scenes, rows, their work folder, and everything that is measured with."""

    def __init__(
        self, generator: Generator, scenes: list[Scene], settings: Table2Settings, work: Path
    ) -> None:
        self.generator, self.scenes, self.settings = generator, scenes, settings
        self.work = WorkFolder(work)
        self.lpips, self.reason = try_lpips(settings.lpips)
        self.bench = Bench(generator, self.lpips)
        first, tuning = settings.first_seed, settings.first_tuning_seed
        self.seeds = list(range(first, first + settings.seeds))
        self.tuning = list(range(tuning, tuning + settings.tuning_seeds))
        self._before: dict[tuple[float, int], Tensor] = {}
        self._references: dict[tuple[str, int], Reference] = {}
        self._digest = generator.digest()
        self.tuned_on = tuning_scenes(scenes) if settings.tune else []
        self.tuned, self.grid = self._tune()

    def before(self, scene: Scene, seeds: list[int]) -> Tensor:
        """Images of seeds without a rewrite, generated once for scenes of one truncation."""
        key = self.bench.truncation(scene), seeds[0]
        if key not in self._before:
            self._before[key] = self.generator.images(self.bench.samples(scene, seeds))
        return self._before[key]

    def reference(self, scene: Scene, seeds: list[int]) -> Reference:
        """What a scene's images are compared with; the number of targets makes no difference."""
        key = scene.pattern, seeds[0]
        if key not in self._references:
            samples, before = self.bench.samples(scene, seeds), self.before(scene, seeds)
            self._references[key] = reference(
                scene.edits,
                self.generator.oracle,
                samples,
                before,
                partial(self.bench.expected, scene, samples),
                partial(self.bench.pasted, scene, before),
                self.lpips,
                self.reason,
            )
        return self._references[key]

    def identity(self, method: Method, scene: Scene, seeds: list[int]) -> dict[str, Any]:
        """All settings that decide a cell."""
        task = self.bench.task_for(method, scene)
        if method.kind == "rewrite":
            layers = task.split.memory_layers
            method = replace(method, settings=task.settings, memory_layers=layers)
        return {
            "generator": (self._digest, _projector_digest(task)),
            "value_layer": task.split.value_layer,
            "edits": task.edits.to_json(embed=True),
            "method": asdict(method),
            "rdgm": asdict(self.settings.rdgm) if method.kind == "rdgm" else None,
            "seeds": [seeds[0], len(seeds)],
            "shown": self.settings.shown,
            "lpips": self.settings.lpips if self.lpips is not None else None,
        }

    def finished(self, method: Method, scene: Scene, seeds: list[int]) -> Finished | None:
        """A cell that was computed before."""
        return self.work.find(f"{scene.name}-{method.row}", self.identity(method, scene, seeds))

    def compute(self, method: Method, scene: Scene, seeds: list[int]) -> Finished:
        """Make, measure and store a cell, unless that was done before."""
        found = self.finished(method, scene, seeds)
        if found is not None:
            return found
        name, who = f"{scene.name}-{method.row}", self.identity(method, scene, seeds)
        if method.kind == "patch_transfer" and self.lpips is None:
            why = {metric: str(self.reason) for metric in TABLE2_METRICS}
            return self.work.put(name, who, {"measured": Measured(unavailable=why)})
        ref = self.reference(scene, seeds)
        samples = self.bench.samples(scene, seeds)
        outcome = self.bench.run(method, scene, samples, ref.before, self.settings.rdgm)
        measured = measure_images(outcome.after, ref)
        measured.number("seconds", outcome.seconds)
        measured.number("peak_memory_mb", outcome.peak_memory_mb)
        result = {"measured": measured, "loss": outcome.loss}
        return self.work.put(name, who, result, {"after": outcome.after[: self.settings.shown]})

    def _tune(self) -> tuple[dict[int, Tuned], list[dict[str, Any]]]:
        with Progress(grid_size(self.settings, self.tuned_on), "choosing weights") as bar:

            def measure(method: Method, scene: Scene) -> Measured:
                found = self.compute(method, scene, self.tuning)
                bar.advance(1)
                return Measured.from_json(found.result["measured"])

            return tune(self.settings, self.tuned_on, measure)

    def methods(self) -> list[Method]:
        """The rows, with what was chosen on the tuning seeds."""
        return methods(self.settings, self.tuned)

    def write(self, folder: Path, file_name: str = "table2") -> None:
        """Write the table and its sheet of images from the cells that are done.

        Args:
            folder: Made if there is none.
            file_name: Of the files, without the ending.

        Raises:
            StoreError: If a file cannot be written.
        """
        cells = [
            (scene, method, found)
            for scene in self.scenes
            for method in self.methods()
            if (found := self.finished(method, scene, self.seeds)) is not None
        ]
        rows = [
            json_row(
                {"row": method.row, "pattern": scene.pattern, "targets": scene.targets},
                Measured.from_json(found.result["measured"]),
                TABLE2_METRICS,
            )
            for scene, method, found in cells
        ]
        name = self.generator.source_name
        lpips = describe_lpips(self.lpips, self.reason, min(self.generator.image_size))
        first = self.scenes[0]
        chosen = {
            "generator": name,
            "value_layer": self.bench.task(first).split.value_layer,
            "truncation": self.bench.truncation(first),
        }
        pseudo = [s.name for s in self.scenes if isinstance(s.edits.oracle, PasteOracle)]
        document = {
            "rows": rows,
            "pseudo_oracle": dict.fromkeys(pseudo, PSEUDO_ORACLE),
            "grid": self.grid,
            "losses": [
                {**{k: row[k] for k in ("row", "pattern", "targets")}, **found.result["loss"]}
                for row, (_, _, found) in zip(rows, cells, strict=True)
                if found.result.get("loss")
            ],
            "generator_floor": {
                pattern: generator_floor(ref)
                for (pattern, seed), ref in self._references.items()
                if seed == self.seeds[0] and not ref.pseudo
            },
            "methods": [asdict(method) for method in self.methods()],
            "default": self._as_given(),
            "edits": {scene.name: scene.edits.to_json() for scene in self.scenes},
            "provenance": provenance(
                "experiments.table2_rewrite", {**chosen, **asdict(self.settings)}, lpips
            ),
        }
        title = f"Table 2: rewriting {Path(name).stem}"
        write_tables(
            folder,
            file_name,
            document,
            TABLE2_METRICS,
            title=title,
            notes=self._notes(),
            group=("pattern", "targets"),
        )
        if cells:
            save_png(folder / f"{file_name}.png", self._sheet(cells))

    def _as_given(self) -> dict[str, Any]:
        """What `default` is, by scene, where it is made from the edits as they were given."""
        found = {}
        for method, scene in product(self.methods(), self.scenes):
            if method.kind == "rewrite":
                task = self.bench.task_for(method, scene)
                found[scene.name] = {
                    "projector": _projector_digest(task),
                    **asdict(task.settings),
                    "value_layer": task.split.value_layer,
                    "memory_layers": task.split.memory_layers,
                }
        return found

    def _notes(self) -> list[str]:
        """Paragraphs under the tables; with a pseudo-oracle they name it so."""
        scene = self.scenes[0]
        notes = [*NOTES, tuning_note(self.settings, self.tuned, self.tuned_on)]
        if isinstance(scene.edits.oracle, PasteOracle):
            notes.remove(FLOOR_NOTE)
            notes = [note.replace("the oracle", "the pseudo-oracle") for note in notes]
            notes.append(PSEUDO_NOTE)
        psi = self.bench.truncation(scene)
        if psi != 1:
            notes.append(f"Unseen samples have the targets' truncation, {psi:g}.")
        default = self._as_given().get(scene.name)
        if default is not None and scene.given is not None:
            notes.append(_default_note(default))
        return notes

    def _sheet(self, cells: list[tuple[Scene, Method, Finished]]) -> Image.Image:
        """Rows of the table from top to bottom; of each pattern the scene with most targets."""
        most = {s.pattern: s for s in sorted((s for s, _, _ in cells), key=lambda s: s.targets)}
        shown = {(scene.name, method.row): found for scene, method, found in cells}
        references = {pattern: self.reference(s, self.seeds) for pattern, s in most.items()}
        rows = [ImageRow("before", [r.before for r in references.values()])]
        for method in self.methods():
            found = [shown.get((scene.name, method.row)) for scene in most.values()]
            groups = [None if f is None else f.images.get("after") for f in found]
            if any(group is not None for group in groups):
                rows.append(ImageRow(method.row.replace("_", " "), groups))
        if any(r.oracle is not None for r in references.values()):
            pseudo = any(r.pseudo for r in references.values())
            label = "pseudo-oracle" if pseudo else "oracle"
            rows.append(ImageRow(label, [r.oracle for r in references.values()]))
        headings = [f"{s.pattern.replace('_', ' ')}, {s.targets} targets" for s in most.values()]
        return image_sheet(rows, headings, [self.settings.shown] * len(most))


def _projector_digest(task: Task) -> Any:
    """That of a task's projector, None where values are found without one."""
    return None if task.projector is None else task.projector.header.get("digest")


def _default_note(default: Mapping[str, Any]) -> str:
    """How `default` differs from the other rows, from its entry in the JSON file."""
    projector = "no projector" if default["projector"] is None else "a projector"
    return (
        f"`default` is what `regen rewrite` does with the edits as they were given: value layer "
        f"{default['value_layer']}, a memory of {default['memory_layers']}, {projector}, recall on "
        f"{default['fit']['recall']}, {default['fit']['steps']} steps. The command line's value "
        "layer and projector are those of the other rows."
    )


def brief(value: float | None) -> str:
    """Four decimals, or a dash for a missing number."""
    return "–" if value is None else f"{value:.4f}"
