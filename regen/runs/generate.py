"""Draw images of seeds, with any number of rewrites applied, into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.atomic import ensure_folder
from regen.generators.registry import AnyGenerator, open_generator
from regen.generators.stylegan2.generator import NoiseMode
from regen.images import grid, save_image
from regen.precision import DTYPES
from regen.rewriting.rewrite import Rewrite, compose, rewritten
from regen.runs.logbook import Progress
from regen.runs.rewrite.learn import REWRITE_FILE

_MOST_AT_ONCE = 16  # images
_PIXELS_AT_ONCE = 2**20
GRID_PICTURES = 256


@dataclass(frozen=True)
class Drawing:
    """What to draw.

    Attributes:
        seeds: One image each, at least one.
        truncation: psi, from 0; 1 leaves the samples alone.
        noise: "const" (stored with the generator), "random" (drawn from the seed) or "none".
        precision: What the network computes in.
        class_index: Which class to draw, counted from 0, for a generator that has them.
        grid: Whether the first `GRID_PICTURES` are laid out in grid.png as well.
    """

    seeds: tuple[int, ...]
    truncation: float = 1.0
    noise: NoiseMode = "const"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    class_index: int | None = None
    grid: bool = True

    def __post_init__(self) -> None:
        if not self.seeds:
            raise GeneratorError("seeds", got="none", expected="at least one")
        if not self.truncation >= 0:
            raise GeneratorError("truncation", got=self.truncation, expected="0 or more")


def load_rewrites(rewrites: Sequence[tuple[Path, float]]) -> Rewrite | None:
    """The sum of rewrites with their strengths, or None where there are none.

    Args:
        rewrites: Paths of rewrite files, or of the run folders that hold one, and strengths.

    Raises:
        StoreError: If a file is missing, damaged, or no rewrite.
        RewriteError: If they belong to different generators.
    """
    loaded = []
    for path, strength in rewrites:
        file = path / REWRITE_FILE if path.is_dir() else path
        rewrite = Rewrite.load(file)
        loaded.append(rewrite if strength == 1 else rewrite.scaled(strength))
    return compose(loaded) if loaded else None


def draw_images(
    generator: str | Path,
    rewrites: Sequence[tuple[Path, float]],
    drawing: Drawing,
    folder: Path | str,
    *,
    device: str = "cpu",
) -> list[Path]:
    """Draw seeds into seedNNNN.png, one file each, and grid.png.

    Args:
        generator: Name or path.
        rewrites: As for `load_rewrites`; all are applied together.
        drawing: What to draw.
        folder: Made where there is none; files of the same names are replaced.
        device: Where to compute.

    Returns:
        The files, in the order of the seeds, the grid last.

    Raises:
        RegenError: If generator or a rewrite cannot be used; nothing is written then.
        KeyboardInterrupt: On Ctrl-C, saying how many images are there.
    """
    opened = open_generator(generator, device=device)
    opened.precision = DTYPES[drawing.precision]
    rewrite = load_rewrites(rewrites)
    applied: AbstractContextManager[Any] = nullcontext()
    if rewrite is not None:
        applied = rewritten(opened, rewrite)
    with applied:
        _latents(opened, drawing.seeds[:1], drawing)  # raises before anything is written
        return _draw(opened, drawing, ensure_folder(folder))


def _draw(generator: AnyGenerator, drawing: Drawing, folder: Path) -> list[Path]:
    files: list[Path] = []
    shown: list[Tensor] = []
    seeds = drawing.seeds
    together = _PIXELS_AT_ONCE // generator.resolution**2
    together = max(1, min(_MOST_AT_ONCE, together))
    try:
        with Progress(len(seeds), "drawing") as progress:
            for first in range(0, len(seeds), together):
                batch = seeds[first : first + together]
                images = _images(generator, batch, drawing)
                if drawing.grid and first < GRID_PICTURES:
                    shown.append(images)
                for seed, image in zip(batch, images, strict=True):
                    files.append(_save(folder, f"seed{seed:04d}.png", image))
                progress.advance(len(batch))
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{len(files)} images are in {folder}") from interrupt
    if shown:
        sheet = torch.cat(shown)[:GRID_PICTURES]
        files.append(_save(folder, "grid.png", grid(sheet, _columns(len(sheet)))))
    return files


@torch.no_grad()
def _images(generator: AnyGenerator, seeds: Sequence[int], drawing: Drawing) -> Tensor:
    return generator(_latents(generator, seeds, drawing)).float().cpu().clamp(-1, 1)


@torch.no_grad()
def _latents(generator: AnyGenerator, seeds: Sequence[int], drawing: Drawing) -> Any:
    label = _one_hot(generator, drawing.class_index, len(seeds))
    return generator.latents(seeds, drawing.truncation, label=label, noise=drawing.noise)


def _one_hot(generator: AnyGenerator, index: int | None, count: int) -> Tensor | None:
    """The label ``[count, classes]`` of a class, None where none was asked for."""
    if index is None:
        return None
    classes = generator.config.label_dim
    if not classes:
        raise GeneratorError("class", got=index, expected="none", remedy="it has no classes")
    if index >= classes:
        raise GeneratorError("class", got=index, expected=f"0 to {classes - 1}")
    label = torch.zeros(count, classes, device=generator.device)
    label[:, index] = 1
    return label


def _save(folder: Path, name: str, image: Tensor) -> Path:
    if image.isnan().any():  # which would be saved as black
        raise GeneratorError(
            f"{folder / name}: pixels",
            got="NaN",
            expected="numbers",
            remedy="weights, a rewrite's strength or fp16 overflow: try fp32, or other weights",
        )
    save_image(folder / name, image)
    return folder / name


def _columns(count: int) -> int:
    """Nearly square, and at most 16 side by side."""
    return min(16, max(1, round(count**0.5)))
