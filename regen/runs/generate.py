"""Generate images of seeds or of a folder of images, with rewrites applied, into a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass
from os.path import lexists  # unlike Path.exists, it takes names that are too long for the system
from pathlib import Path
from typing import Literal

from PIL import Image
from torch import Tensor

from regen.edits.schema import Edits, NamedRegion
from regen.errors import GeneratorError
from regen.files.limits import MAX_TRUNCATION
from regen.generators import bundled
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.images import load_image, save_image, to_pil
from regen.images.listing import has_image_suffix
from regen.images.sheets import draw_cells, save_sheet, usual_columns
from regen.precision import DTYPES
from regen.rewriting.rewrite import Rewrite, load_rewrites, rewritten
from regen.runs.folder import refuse_busy, remove_results, run_folder
from regen.runs.names import distinct_names
from regen.runs.progress import Progress
from regen.runs.takes import check_takes
from regen.training.distributed import Workers, own_device, workers
from regen.training.environment import is_first

GRID_IMAGES = 256
USUAL_MARGIN = 2  # pixels of a generator's image around a part of a face that is hidden
_GRID = "grid.png"


@dataclass(frozen=True)
class GenerateSettings:
    """What to generate.

    Attributes:
        seeds: One image each. With a folder of images they are numbers of these, and an empty
            tuple means all of them.
        truncation: psi; 1 leaves the samples unchanged, 0 is the mean, below 0 lies opposite to it.
        noise: "const" (stored with the generator), "random" (from the seed) or "none".
        precision: Number format of the network.
        class_index: Which class to generate, from 0, for a generator that has them.
        grid: Whether the first `GRID_IMAGES` are laid out in grid.png as well, with their labels.
        images: A folder of images, for a generator that needs them.
        hole: For a generator that fills holes: the name of a part of the face, or a mask's path.
        holes: The same: a folder of masks for a folder of images.
        grow: By how many pixels `hole` is larger; by default `USUAL_MARGIN` around a part of the
            face, and none around a mask.
        passes: How often a hole is filled.
        style: For a generator that translates: a seed, or the path of an image whose style it is;
            None for a random one each.
    """

    seeds: tuple[int, ...]
    _: KW_ONLY
    truncation: float = 1.0
    noise: Literal["const", "random", "none"] = "const"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    class_index: int | None = None
    grid: bool = True
    images: Path | None = None
    hole: str | None = None
    holes: Path | None = None
    grow: int | None = None
    passes: int = 1
    style: int | str | None = None

    def __post_init__(self) -> None:
        if not self.seeds and self.images is None:
            raise GeneratorError("seeds", got="none", expected="at least one")
        if not abs(self.truncation) <= MAX_TRUNCATION:
            expected = f"{-MAX_TRUNCATION:g} to {MAX_TRUNCATION:g}"
            raise GeneratorError("truncation", got=self.truncation, expected=expected)
        if self.holes is not None and (self.images is None or self.hole is not None):
            got = "without images" if self.images is None else "beside a single hole"
            expected = "a folder of images and a folder of masks, and no hole for all"
            raise GeneratorError("folder of masks", got=got, expected=expected)
        if self.grow is not None and self.hole is None:
            raise GeneratorError(
                "grow",
                got=f"{self.grow}, without a hole",
                expected="a hole that it enlarges",
                remedy="name one with --hole",
            )
        if self.images is not None and self.request():
            raise GeneratorError(
                "options beside a folder of images",
                got=", ".join(self.request()),
                expected="none of those that belong to seeds",
                remedy="leave them out",
            )

    def request(self) -> dict[str, object]:
        """The keys of a request to the generator beside the seed."""
        request: dict[str, object] = {}
        if self.truncation != 1:
            request["truncation"] = self.truncation
        if self.noise != "const":
            request["noise"] = self.noise
        if self.class_index is not None:
            request["class"] = self.class_index
        return request

    def inputs(self) -> dict[str, object]:
        """What a generator that changes images is given beside the image; only what is given."""
        inputs: dict[str, object] = {} if self.holes is None else {"holes": self.holes}
        if self.hole is not None:
            is_mask = _is_path(self.hole)
            inputs["hole"] = self.hole if is_mask else NamedRegion(self.hole)
            usual = 0 if is_mask else USUAL_MARGIN
            grow = usual if self.grow is None else self.grow
            inputs |= {"grow": grow} if grow else {}
        inputs |= {"passes": self.passes} if self.passes > 1 else {}
        return inputs if self.style is None else {**inputs, "style": self.style}


def _is_path(hole: str) -> bool:
    """Whether a hole is a mask's path, that of a file that is missing too, and no part's name."""
    return lexists(hole) or "/" in hole or has_image_suffix(Path(hole))


def generate_images(
    generator: str | Path | None,
    rewrites: Sequence[tuple[Path, float]],
    settings: GenerateSettings,
    folder: Path | str,
    *,
    device: str = "cpu",
) -> list[Path]:
    """Generate samples into seedNNNN.png (or NAME.png, after their image), and grid.png.

    Under ``torchrun`` the processes share the samples, and the first makes the grid.

    Args:
        generator: Name or path; None for the bundled one that the rewrites belong to, and portraits
            without any.
        rewrites: As for `load_rewrites`; all are applied together.
        settings: What to generate.
        folder: Made where there is none; files of the same names are replaced, and so is grid.png,
            which shows the images of one run. Not the folder of images.
        device: Where to compute.

    Returns:
        The files, in the order of the samples, the grid last.

    Raises:
        RegenError: If generator or a rewrite cannot be used, or another run fills the folder;
            nothing is written then.
        KeyboardInterrupt: On Ctrl-C, saying how many images are there.
    """
    refuse_busy(folder)
    rewrite = load_rewrites(rewrites)
    name = _owner_of(rewrite) if generator is None else generator
    opened = open_generator(name, device=own_device(device))
    samples = samples_of(opened, settings)
    applied = nullcontext() if rewrite is None else rewritten(opened, rewrite)
    with opened.computing_in(DTYPES[settings.precision]), applied:
        opened.latents(samples[:1])  # raises before anything is written
        _check_folder(folder, settings)
        with run_folder(folder) as place:
            if is_first():
                remove_results(place, [_GRID])
            together = opened.batch_size if settings.images is None else 1  # sizes may differ
            with workers(opened.device) as group:
                return _generate(opened, samples, place, together, group, with_grid=settings.grid)


def _owner_of(rewrite: Rewrite | None) -> str:
    """The bundled generator that a rewrite belongs to; the usual one without any."""
    if rewrite is None:
        return Edits.generator
    owner = bundled.name_of(rewrite.base)
    if owner is None:
        raise GeneratorError(
            "this rewrite belongs to no bundled generator",
            got=f"a rewrite of generator {rewrite.base[:12]}",
            remedy="give its generator with --generator",
        )
    return owner


def samples_of(generator: Generator, settings: GenerateSettings) -> list[Sample]:
    """The samples of settings. Raises GeneratorError for those that the generator does not have."""
    inputs = settings.inputs()
    check_takes(generator, inputs)
    if settings.images is not None:
        source = generator.source(settings.images, _plural(inputs) if inputs else None)
        return source.samples(settings.seeds or range(source.count or 0))
    request = settings.request() | inputs
    return [generator.sample({**request, "seed": seed}) for seed in settings.seeds]


def _plural(inputs: dict[str, object]) -> dict[str, object]:
    """The inputs of a source: what one sample has as its hole or style, all of them have."""
    plural = {"hole": "holes", "style": "styles"}
    return {plural.get(name, name): value for name, value in inputs.items()}


def _check_folder(folder: Path | str, settings: GenerateSettings) -> None:
    if settings.images is not None and Path(folder).resolve() == settings.images.resolve():
        raise GeneratorError(
            f"{folder} is the folder of images",
            expected="another one, since results are named after the images",
        )


def _generate(
    generator: Generator,
    samples: Sequence[Sample],
    folder: Path,
    together: int,
    group: Workers,
    *,
    with_grid: bool,
) -> list[Path]:
    shown: dict[int, Image.Image] = {}  # the images of the grid that this process made
    names = distinct_names(map(_file_name, samples), lambda name: with_grid and name == "grid")
    files = [folder / f"{name}.png" for name in names]
    done, step = 0, together * group.count
    own = range(group.rank * together, len(samples), step)
    try:
        with Progress(sum(len(samples[i : i + together]) for i in own), "generating") as progress:
            for first in own:
                images = generator.images(samples[first : first + together], together)
                for index, image in enumerate(images, first):
                    _save(files[index], image)
                    done += 1
                    if with_grid and index < GRID_IMAGES:
                        shown[index] = to_pil(image)
                progress.advance(len(images))
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{done} images are in {folder}") from interrupt
    group.wait()
    if with_grid and samples and group.rank == 0:
        cells = [shown.get(i) or _read(file) for i, file in enumerate(files[:GRID_IMAGES])]
        labels = [sample.label for sample in samples[:GRID_IMAGES]]
        save_sheet(folder / _GRID, draw_cells(cells, labels, usual_columns(len(cells))))
    return [*files, folder / _GRID] if with_grid and samples else files


def _read(file: Path) -> Image.Image:
    """An image that another process made, from its file."""
    return to_pil(load_image(file)[0])


def _file_name(sample: Sample) -> str:
    """seed0003 of "seed 3", dog of "dog.jpg"."""
    seed = re.fullmatch(r"seed (\d+)", sample.name)
    return f"seed{int(seed[1]):04d}" if seed else Path(sample.name).stem


def _save(path: Path, image: Tensor) -> None:
    if image.isnan().any():  # which would be saved as black
        raise GeneratorError(
            f"{path}: pixels",
            got="NaN",
            expected="numbers",
            remedy="weights, a rewrite's strength or fp16 overflow: try fp32, or other weights",
        )
    save_image(path, image)
