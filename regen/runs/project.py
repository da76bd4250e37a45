"""Project images from files: their features, the decoded images, and how close these are."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from regen.errors import ProjectorError, printable
from regen.files import tensor_file
from regen.files.as_json import to_json
from regen.files.atomic import write_json
from regen.files.run_files import METRICS_FILE
from regen.files.tensor_header import Header
from regen.generators.protocol import Generator, Source
from regen.generators.registry import open_generator
from regen.images import load_image, to_pil
from regen.images.sheets import draw_cells, save_sheet
from regen.metrics import Lpips, describe_lpips, psnr, ssim, try_lpips
from regen.projector.files import PROJECTING_LAYER, Projector, open_projector
from regen.projector.project import Projection
from regen.projector.refine import RefineSettings, refine
from regen.projector.whole import check_hole, project_whole
from regen.runs.folder import refuse_busy, remove_results, run_folder
from regen.runs.names import distinct_names
from regen.runs.progress import Progress

FORMAT = "features"
VERSION = 1
OUT_OF_REACH_LPIPS = 0.35
OUT_OF_REACH_SSIM = 0.5

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class ProjectSettings:
    """How images are projected.

    Attributes:
        fit: How an image is brought to the generator's size, see `regen.images.load_image`.
        candidates: Samples whose context is tried, beside the mean's, to decode an image.
        refine: How the features are refined; 0 steps for no refinement.
        lpips: Backbone of LPIPS: squeeze, alex or vgg.
        hole: For a generator that fills holes, what is hidden of every image: the path of a mask,
            white where it is to be filled.
    """

    fit: Literal["cover", "contain", "stretch"] = "cover"
    candidates: int = 64
    refine: RefineSettings = field(default_factory=lambda: RefineSettings(steps=0))
    lpips: str = "squeeze"
    hole: Path | None = None

    def __post_init__(self) -> None:
        if self.candidates < 0:
            raise ProjectorError("candidates", got=self.candidates, expected="0 or more")


@dataclass(frozen=True)
class Projected:
    """One image's results.

    Attributes:
        source: The file it was read from.
        name: Start of the names of its files: NAME.features.safetensors and NAME.png.
        projected: LPIPS, L1, PSNR and SSIM of the decoded image to the input.
        refined: The same after refinement, or None.
        out_of_reach: The generator cannot generate this: LPIPS of the decoded image to the input
            is above `OUT_OF_REACH_LPIPS`, or, without LPIPS, SSIM below `OUT_OF_REACH_SSIM`.
    """

    source: Path
    name: str
    projected: Metrics
    refined: Metrics | None
    out_of_reach: bool


def project_images(
    sources: Sequence[Path],
    folder: Path | str,
    settings: ProjectSettings,
    *,
    generator: str | Path = "portraits",
    projector: Path | None = None,
    sample_images: Path | None = None,
    device: str = "cpu",
) -> tuple[list[Projected], dict[str, Any]]:
    """Project image files.

    Args:
        sources: At least one; of any size and kind.
        folder: Made where there is none; gets NAME.features.safetensors and NAME.png (input,
            decoded and refined, each below its label) for each, and metrics.json. What metrics.json
            of an earlier run lists is removed, unless it is among the sources.
        settings: How they are projected.
        generator: Name or path.
        projector: Its projector's file, or None for the one that is bundled with it.
        sample_images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute.

    Returns:
        The results in the order of `sources`, and the content of metrics.json.

    Raises:
        RegenError: On bad input, or if another run fills the folder; every image is read before
            anything is written.
        KeyboardInterrupt: On Ctrl-C; the images projected until then are kept.
    """
    if not sources:
        raise ProjectorError("images to project", got="none", expected="at least one")
    refuse_busy(folder)
    opened = open_generator(generator, device=device)
    back = open_projector(projector, opened, preferred=PROJECTING_LAYER)
    size = opened.image_size
    images = [load_image(source, size=size, fit=settings.fit) for source in sources]
    check_hole(opened, settings.hole)
    lpips, reason = try_lpips(settings.lpips, size)
    source = opened.source(sample_images)
    metrics: dict[str, Any] = {
        "generator": str(generator),
        "projector": back.name,
        "value_layer": back.value_layer,
        "settings": to_json(asdict(settings)),
        "lpips": describe_lpips(lpips, reason, min(size)),
    }
    with run_folder(folder) as place:
        remove_results(place, _earlier_results(place, sources))
        job = _Job(opened, source, back, settings, place, lpips)
        return job.run_all(sources, images, metrics)


def file_names(sources: Sequence[Path], folder: Path) -> list[str]:
    """A name for each source, its own where possible: none twice, none that overwrites a source.

    Example:
        >>> file_names([Path("a/eye.png"), Path("b/Eye.jpg"), Path("out/cat.png")], Path("out"))
        ['eye', 'Eye-2', 'cat-2']
    """
    given = {source.resolve() for source in sources}
    return distinct_names(
        (source.stem for source in sources),
        lambda name: (folder / f"{name}.png").resolve() in given,
    )


def _earlier_results(folder: Path, sources: Sequence[Path]) -> list[str]:
    """The files that an earlier run left, by its metrics.json, but none that is a source now.

    That file comes last: as long as it is there, it names what has not been removed.
    """
    given = {source.resolve() for source in sources}
    try:
        listed = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))["images"]
        stems = [str(image["name"]) for image in listed]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []  # none, or one of something else
    names = [f"{stem}{end}" for stem in stems for end in (".features.safetensors", ".png")]
    kept = [name for name in names if Path(name).name == name]
    there = [name for name in kept if (folder / name).resolve() not in given]
    return [glob.escape(name) for name in there] + [METRICS_FILE]


def _write_metrics(
    folder: Path, metrics: dict[str, Any], results: Sequence[Projected]
) -> dict[str, Any]:
    complete = {**metrics, "images": to_json([asdict(result) for result in results])}
    write_json(folder / METRICS_FILE, complete)
    return complete


class _Job:
    """Everything that all images share."""

    def __init__(
        self,
        generator: Generator,
        source: Source,
        projector: Projector,
        settings: ProjectSettings,
        folder: Path,
        lpips: Lpips | None,
    ) -> None:
        self.generator, self.source = generator, source
        self.projector, self.settings = projector, settings
        self.split = generator.split(projector.value_layer, 1)
        self.folder, self.lpips = folder, lpips
        self.base = generator.digest()

    def run_all(
        self, sources: Sequence[Path], images: Sequence[Tensor], metrics: dict[str, Any]
    ) -> tuple[list[Projected], dict[str, Any]]:
        """Project every image; results and complete metrics, as `project_images` returns them."""
        results: list[Projected] = []
        names = file_names(sources, self.folder)
        try:
            with Progress(len(sources), "projecting") as progress:
                for source, name, image in zip(sources, names, images, strict=True):
                    results.append(self.run(source, name, image.to(self.generator.device)))
                    progress.advance()
        except KeyboardInterrupt as interrupt:
            _write_metrics(self.folder, metrics, results)
            kept = f"{len(results)} of {len(sources)} images are in {self.folder}"
            raise KeyboardInterrupt(kept) from interrupt
        return results, _write_metrics(self.folder, metrics, results)

    def run(self, source: Path, name: str, image: Tensor) -> Projected:
        """Project ``image [1, 3, H, W]`` and write its files."""
        first = project_whole(
            self.projector,
            self.generator,
            self.split,
            self.source,
            image,
            source,
            candidates=self.settings.candidates,
            hole=self.settings.hole,
        )
        projected, refined = self._compare(first, image), None
        shown = {f"input: {source.name}": image, "decoded": first.decoded}
        features = {"features": first.value.features}
        if self.settings.refine.steps:
            better = refine(self.split, first, image, self.settings.refine).projection
            refined = self._compare(better, image)
            features = {"features": better.value.features, "unrefined": first.value.features}
            shown["refined"] = better.decoded
        tensor_file.save(
            self.folder / f"{name}.features.safetensors", features, self._header(source)
        )
        cells = [to_pil(one[0].cpu()) for one in shown.values()]
        save_sheet(self.folder / f"{name}.png", draw_cells(cells, list(shown), len(cells)))
        return Projected(source, name, projected, refined, _out_of_reach(projected))

    def _header(self, source: Path) -> Header:
        return {
            "format": FORMAT,
            "version": VERSION,
            "family": self.generator.family,
            "base": self.base,
            "projector": self.projector.header.get("digest"),
            "value_layer": self.projector.value_layer,
            "source": printable(source.name),
            "settings": to_json(asdict(self.settings)),
        }

    @torch.no_grad()
    def _compare(self, projection: Projection, image: Tensor) -> Metrics:
        decoded = projection.decoded
        return {
            "lpips": None if self.lpips is None else self.lpips(decoded, image).item(),
            "l1": (decoded - image).abs().mean().item(),
            "psnr": psnr(decoded, image).item(),
            "ssim": ssim(decoded, image).item(),
        }


def _out_of_reach(metrics: Metrics) -> bool:
    lpips, similarity = metrics["lpips"], metrics["ssim"]
    if lpips is not None:
        return lpips > OUT_OF_REACH_LPIPS
    return similarity is not None and similarity < OUT_OF_REACH_SSIM
