"""Table 1 as a whole: its rows from work folder to files.

A row is its training, its numbers and the images for the sheet. `Table1.compute` makes one or
finds it; `Table1.write` puts whatever is done into table1.{json,csv,md,png}.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from experiments.tables.projector_measures import (
    ImageSet,
    ProjectorMeasures,
    extra_images,
    feature_floor,
    image_sets,
    measure_projector,
)
from experiments.tables.projector_variants import (
    Table1Settings,
    Variant,
    train_variant,
    variants,
)
from experiments.tables.provenance import provenance
from experiments.tables.real_images import images_in, real_sets
from experiments.tables.resume import Finished, WorkFolder
from experiments.tables.rows import TABLE1_METRICS, Measured, Numbers, json_row
from experiments.tables.sheets import (
    Distribution,
    ImageRow,
    distribution_panels,
    image_sheet,
    save_png,
    stacked,
)
from experiments.tables.write import write_tables
from regen import open_generator, open_projector
from regen.files.tensor_file import digest
from regen.generators import bundled
from regen.metrics import describe_lpips, try_lpips
from regen.projector.project import Project
from regen.projector.windows import split_for_windows

PAPER = {
    "feature_l1": {"lpips": 0.4747, "wasserstein": 89.29},
    "semi_cycle": {"lpips": 0.2066, "wasserstein": 88.13},
    "semi_cycle_adversarial": {"lpips": 0.1970, "wasserstein": 20.11},
}
NOTES = (
    "LPIPS, PSNR and SSIM compare an image with its decoded projection. In domain: held-out "
    "samples of the generator, decoded with their own context. Out of domain: see `details` in the "
    "JSON file for each set of images.",
    "Wasserstein: one-dimensional Wasserstein-1 distance of each channel's values over positions "
    "and samples (scipy.stats.wasserstein_distance), summed over channels; sliced: the mean over "
    "random directions in feature space. Both between the features of the held-out samples and "
    "what the projector makes of their images, in the generator's units.",
    "The paper, on FFHQ at 1024 (value layer 10): LPIPS 0.4747, 0.2066, 0.1970 and Wasserstein "
    "89.29, 88.13, 20.11 for the first three rows. Another generator has other numbers; what can "
    "be compared is how they change from row to row.",
)


class Table1:
    """The rows, their work folder, and everything that is measured with."""

    def __init__(
        self,
        generator: str,
        settings: Table1Settings,
        work: Path,
        *,
        data: Path | None,
        image_folder: Path | None,
        extra: Path | None,
        device: str,
    ) -> None:
        self.settings, self.work, self.name = settings, WorkFolder(work), generator
        self.generator = open_generator(generator, device=device)
        self.split = split_for_windows(self.generator, settings.value_layer, settings.window)
        self.lpips, self.reason = try_lpips(settings.lpips)
        folders, training = real_sets(data)
        folders += [] if image_folder is None else [(image_folder.name, images_in(image_folder))]
        training += [] if extra is None else images_in(extra)
        self.extra = extra_images(self.generator, training)
        self.sets: list[ImageSet] = image_sets(self.generator, self.split, settings, folders)

    def identity(self, variant: Variant) -> dict[str, Any]:
        """All settings that decide a row."""
        images = {item.name: item.images for item in self.sets}
        return {
            "generator": self.generator.digest(),
            "table": asdict(self.settings),
            "variant": asdict(variant),
            "images": digest(images),
            "extra": None if self.extra is None else digest({"extra": self.extra}),
            "lpips": self.lpips is not None,
        }

    def training_folder(self, variant: Variant) -> Path:
        """Of the row's projector; rows that are trained alike share it."""
        who = self.identity(replace(variant, row="", refine_steps=0))
        parts = ("generator", "extra") if variant.extra else ("generator",)
        architecture = self.settings.value_layer, self.settings.widths
        return self.work.place(
            "projector", [who["variant"], architecture, *(who[part] for part in parts)]
        )

    def finished(self, variant: Variant) -> Finished | None:
        """A row that was computed before."""
        return self.work.find(variant.row, self.identity(variant))

    def compute(self, variant: Variant) -> Finished:
        """Train, measure and store a row, unless that was done before."""
        finished = self.finished(variant)
        if finished is not None:
            return finished
        if variant.extra and self.extra is None:
            measured = Measured(unavailable={"row": "no extra images; see --extra-images"})
            return self.work.put(variant.row, self.identity(variant), {"measured": measured})
        folder = self.training_folder(variant)
        projector, seconds = train_variant(
            self.generator, self.split, variant, self.settings, folder, self.extra
        )
        found = self._measure(projector, variant.refine_steps)
        found.measured.number("seconds", seconds)
        result = {"measured": found.measured, "details": found.details}
        return self.work.put(
            variant.row, self.identity(variant), result, found.decoded, found.histograms
        )

    def shipped(self) -> Numbers | None:
        """Numbers of the generator's bundled projector, if there is one of the value layer.

        It was trained longer than the rows, with composites, and shows where they are bound for.
        """
        layer = self.settings.value_layer
        if layer not in bundled.projectors_of(self.generator.digest()):
            return None
        projector = open_projector(self.generator, value_layer=layer)
        return dict(self._measure(projector, 0).measured.numbers)

    def _measure(self, projector: Project, refine_steps: int) -> ProjectorMeasures:
        return measure_projector(
            projector, self.split, self.sets, self.settings, self.lpips, self.reason, refine_steps
        )

    def write(self, folder: Path) -> None:
        """Write the table and its sheet of images from the rows that are done."""
        found = [(v, f) for v in variants(self.settings) if (f := self.finished(v)) is not None]
        done = [(v.row, f) for v, f in found]
        lpips = describe_lpips(self.lpips, self.reason, min(self.generator.image_size))
        floor = feature_floor(self.generator, self.split, self.sets, self.settings)
        shipped = self.shipped()
        document = {
            "rows": [
                json_row({"row": row}, Measured.from_json(f.result["measured"]), TABLE1_METRICS)
                for row, f in done
            ],
            "details": {row: f.result.get("details") for row, f in done},
            "training": {v.row: asdict(v.settings) for v, _ in found},
            "wasserstein_between_samples": floor,
            "shipped": shipped,
            "paper": PAPER,
            "images": {item.name: len(item.images) for item in self.sets},
            "provenance": provenance(
                "experiments.table1_projector",
                {"generator": self.name, **asdict(self.settings)},
                lpips,
            ),
        }
        title = f"Table 1: the backward projector of {Path(self.name).stem}"
        write_tables(
            folder,
            "table1",
            document,
            TABLE1_METRICS,
            title=title,
            notes=[*NOTES, _scale_note(floor, shipped)],
        )
        if done:
            save_png(folder / "table1.png", self._sheet(done))

    def _sheet(self, done: list[tuple[str, Finished]]) -> Image.Image:
        shown = [item for item in self.sets if item.shown]
        counts = [min(item.shown, len(item.images)) for item in shown]
        inputs: list[Tensor | None] = [item.images.cpu() for item in shown]
        rows = [ImageRow("image", inputs)]
        with_images = [(row, f) for row, f in done if f.images]
        for row, f in with_images:
            rows.append(ImageRow(_label(row), [f.images.get(item.name) for item in shown]))
        headings = [f"{item.name}, decoded from their projections" for item in shown]
        sheet = image_sheet(rows, headings, counts)
        panels = [
            Distribution(_panel_label(row, f), f.arrays["true"], f.arrays["projected"])
            for row, f in with_images
        ]
        return stacked([sheet, distribution_panels(panels, sheet.width)])


def _scale_note(floor: dict[str, float], shipped: Numbers | None) -> str:
    """What the Wasserstein distances are to be seen beside."""
    note = (
        f"The true features of other samples are {floor['wasserstein']:.2f} (sliced "
        f"{floor['sliced_wasserstein']:.4f}) from those of the held-out ones."
    )
    if shipped is None:
        return note
    lpips = "" if (value := shipped.get("lpips_in_domain")) is None else f", LPIPS {value:.4f}"
    return (
        f"{note} The bundled projector of this layer, trained longer, reaches "
        f"{shipped['wasserstein']:.2f}{lpips}."
    )


def _label(row: str) -> str:
    """The row's name, broken where it is long.

    Example:
        >>> _label("composites_own_context")
        'composites\\nown context'
    """
    for start in ("composites_", "semi_cycle_"):
        if row.startswith(start):
            return f"{start[:-1].replace('_', ' ')}\n{row.removeprefix(start).replace('_', ' ')}"
    return row.replace("_", " ")


def _panel_label(row: str, finished: Finished) -> str:
    distance = finished.result["measured"]["numbers"]["wasserstein"]
    return f"{row.replace('_', ' ')}\nWasserstein {distance:.2f}"
