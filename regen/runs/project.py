"""Project images from files: their features, what these decode to, and how close that comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from regen.errors import ProjectorError, printable
from regen.files import tensor_file
from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json
from regen.generators.protocol import Generator, Source
from regen.generators.registry import open_generator
from regen.images import grid, load_image, save_image
from regen.metrics import Lpips, describe_lpips, psnr, ssim, try_lpips
from regen.projector.files import PROJECTING_LAYER, Projector, open_projector
from regen.projector.project import Projection, RefineSettings, best_context, project, refine
from regen.runs.logbook import Progress
from regen.runs.names import distinct_names

FORMAT = "features"
VERSION = 1
OUT_OF_REACH_LPIPS = 0.35
OUT_OF_REACH_SSIM = 0.5

Figures = dict[str, float | None]


@dataclass(frozen=True)
class ProjectSettings:
    """How images are projected.

    Attributes:
        fit: How an image comes to the generator's size, see `regen.images.load_image`.
        candidates: Samples whose context is tried, beside the mean's, to decode an image.
        refine: Steps by which the features are improved, 0 for none, and how.
        lpips: Backbone of LPIPS: squeeze, alex or vgg.
    """

    fit: Literal["cover", "contain", "stretch"] = "cover"
    candidates: int = 64
    refine: RefineSettings = field(default_factory=lambda: RefineSettings(steps=0))
    lpips: str = "squeeze"

    def __post_init__(self) -> None:
        if self.candidates < 0:
            raise ProjectorError("candidates", got=self.candidates, expected="0 or more")


@dataclass(frozen=True)
class Projected:
    """One image's results.

    Attributes:
        source: The file it was read from.
        name: Begins the names of its files: NAME.features.safetensors and NAME.png.
        projected: LPIPS, L1, PSNR and SSIM of the decoded image to the input.
        refined: The same after refinement, or None.
        out_of_reach: The generator cannot draw this: LPIPS of the decoded image to the input is
            above `OUT_OF_REACH_LPIPS`; SSIM below `OUT_OF_REACH_SSIM` where there is no LPIPS.
    """

    source: Path
    name: str
    projected: Figures
    refined: Figures | None
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
            decoded, refined) for each, and metrics.json.
        settings: How.
        generator: Name or path.
        projector: Its projector's file, or None for the one that is bundled with it.
        sample_images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute.

    Returns:
        The results in the order of `sources`, and the content of metrics.json.

    Raises:
        RegenError: On bad input; every image is read before anything is written.
        KeyboardInterrupt: On Ctrl-C; the images projected until then are kept.
    """
    if not sources:
        raise ProjectorError("images to project", got="none", expected="at least one")
    opened = open_generator(generator, device=device)
    back = open_projector(projector, opened, preferred=PROJECTING_LAYER)
    size = opened.image_size
    images = [load_image(source, size=size, fit=settings.fit) for source in sources]
    lpips, reason = try_lpips(settings.lpips, size)
    folder = ensure_folder(folder)
    job = _Job(opened, opened.source(sample_images), back, settings, folder, lpips)
    metrics: dict[str, Any] = {
        "generator": str(generator),
        "projector": back.name,
        "value_layer": back.value_layer,
        "settings": to_json(asdict(settings)),
        "lpips": describe_lpips(lpips, reason, min(size)),
    }
    results: list[Projected] = []
    names = file_names(sources, folder)
    try:
        with Progress(len(sources), "projecting") as progress:
            for source, name, image in zip(sources, names, images, strict=True):
                results.append(job.run(source, name, image.to(device)))
                progress.advance()
    except KeyboardInterrupt as interrupt:
        _write_metrics(folder, metrics, results)
        kept = f"{len(results)} of {len(sources)} images are in {folder}"
        raise KeyboardInterrupt(kept) from interrupt
    return results, _write_metrics(folder, metrics, results)


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


def _write_metrics(
    folder: Path, metrics: dict[str, Any], results: Sequence[Projected]
) -> dict[str, Any]:
    complete = {**metrics, "images": to_json([asdict(result) for result in results])}
    write_json(folder / "metrics.json", complete)
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

    def run(self, source: Path, name: str, image: Tensor) -> Projected:
        """Project ``image [1, 3, R, R]`` and write its files."""
        candidates = self.settings.candidates
        context = best_context(
            self.projector, self.generator, self.split, self.source, image, candidates
        )
        first = project(self.projector, self.split, image, context)
        figures, refined, shown = self._compare(first, image), None, [image, first.decoded]
        features = {"features": first.value.features}
        if self.settings.refine.steps:
            better = refine(self.split, first, image, self.settings.refine).projection
            refined = self._compare(better, image)
            features = {"features": better.value.features, "unrefined": first.value.features}
            shown.append(better.decoded)
        tensor_file.save(
            self.folder / f"{name}.features.safetensors", features, self._header(source, features)
        )
        save_image(self.folder / f"{name}.png", grid(torch.cat(shown).cpu(), len(shown)))
        return Projected(source, name, figures, refined, _out_of_reach(figures))

    def _header(self, source: Path, features: dict[str, Tensor]) -> tensor_file.Header:
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
    def _compare(self, projection: Projection, image: Tensor) -> Figures:
        decoded = projection.decoded
        return {
            "lpips": None if self.lpips is None else self.lpips(decoded, image).item(),
            "l1": (decoded - image).abs().mean().item(),
            "psnr": psnr(decoded, image).item(),
            "ssim": ssim(decoded, image).item(),
        }


def _out_of_reach(figures: Figures) -> bool:
    lpips, similarity = figures["lpips"], figures["ssim"]
    if lpips is not None:
        return lpips > OUT_OF_REACH_LPIPS
    return similarity is not None and similarity < OUT_OF_REACH_SSIM
