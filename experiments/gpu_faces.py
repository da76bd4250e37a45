"""The first generator of real photographs: London faces at 256x256, on a GPU in minutes.

    python -m experiments.gpu_faces            (make gpu-faces)

Trains a generator on few images with differentiable augmentation, then its backward projector,
then three rewrites with real exemplars. Everything is boxed by wall clock, a stage that was stopped
is resumed, and a finished one is not run again: where a machine allows ten minutes a call, give
`--call-minutes 9` and call until it says that all is done. Each result is published as soon as it
is there, the generator after every call; what only measures comes last. Both networks as the
training left them are in ``networks``, in half precision, and `--networks DIR` starts from those of
an earlier training.

What should be kept, weights in half precision with their card among it, is in the folder
``publish`` of the run folder, in files of at most 16 MB; metrics and grids are copied to
experiments/results/. `python -m experiments.london_faces --generator FILE` measures the generator
that is published, and bundles it in place of the one that ships.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import load_file, save_file

from experiments.gpu_faces_rewrites import CATS, NOTO, edits_for
from experiments.split_files import split_file
from experiments.wall_clock import Clock, OutOfTimeError
from regen import open_generator, open_projector
from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json
from regen.files.run_files import CHECKPOINT_FILE
from regen.files.tensor_file import read_header
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import load_stylegan2, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import as_stored
from regen.generators.stylegan2.training.initialization import Initial
from regen.generators.stylegan2.training.loop import sampler
from regen.generators.stylegan2.training.plan import StyleGAN2Plan
from regen.generators.stylegan2.training.settings import InitSettings, TrainingSettings
from regen.images.folder import read_folder
from regen.projector.files import save_projector
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import train_projector
from regen.rewriting.settings import RewriteSettings
from regen.runs.rewrite.run import run_rewrite
from regen.runs.train_generator.measure import MeasureSettings, measure_samples
from regen.runs.train_generator.run import train
from regen.runs.train_projector import default_value_layer
from regen.runs.train_projector import train as train_projector_job

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
SHARED = ROOT.parent / "shared" / "data"
NAME = "london-faces"
SHARES = {"generator": 0.68, "projector": 0.22}  # of the minutes; the rest is for rewrites
LARGEST_BYTES = 16_000_000
NETWORKS = {"generator": "G_raw", "discriminator": "D_raw"}
CARD = {
    "data": "Face Research Lab London Set, DeBruine & Jones 2017, figshare 5047666: 203 "
    "photographs of 102 adults, neutral and smiling, by way of github debruine/webmorphR.stim, "
    "cropped, aligned by the eyes and resized to 256x256",
    "licence": "CC BY 4.0",
    "attribution": "Lisa DeBruine and Benedict Jones (2017), Face Research Lab London Set",
    "consent": "the people shown consented to the use of their images in lab and web studies "
    "and to illustrate research",
    "intended_use": "research on rewriting generators; not for identifying or imitating people, "
    "nor as a source of portraits that pass for real ones",
}


@dataclass(frozen=True)
class Run:
    """One run of everything.

    Attributes:
        folder: Run folder.
        images: The faces.
        exemplars: Folder with cats/ and noto/.
        size: Side of the images.
        device: Where to compute.
        clock: The time there is.
        quick: For a dry run: few samples measured, few steps fitted.
        networks: Folder of networks to start from; None for random ones.
    """

    folder: Path
    images: Path
    exemplars: Path
    size: int
    device: str
    clock: Clock
    quick: bool
    networks: Path | None = None

    @property
    def generator_file(self) -> Path:
        """Where the generator is published."""
        return self.folder / "publish" / f"{NAME}.safetensors"

    @property
    def projector_file(self) -> Path:
        """Where the projector is published; named as a bundled one would be."""
        layer = default_value_layer(open_generator(self.generator_file))
        return self.folder / "publish" / f"{NAME}_projector{layer}.safetensors"

    def generator(self) -> None:
        """Train the generator, in pieces if calls are short, and publish each in half precision."""
        folder = self.folder / "generator"
        minutes = max(0.01, min(self.clock.left("generator"), self.clock.in_call() - 0.3))
        last = minutes > self.clock.left("generator") - 0.05
        batch = 8 if self.quick else 32
        settings = replace(
            TrainingSettings.preset(self.size),
            length_kimg=100_000.0,
            batch_images=batch,
            r1_gamma=0.0002 * self.size**2 / batch * 4,  # few images: D is held back more
            augmentation_target=0.6,  # with all images changed, D could tell few of them apart
            augmentation_kimg=60.0,
            path_length_weight=0.0,  # the time is better spent on steps
            ema_halflife_kimg=5.0 if self.quick else 10.0,
            checkpoint_every_kimg=40.0,
            snapshot_every_kimg=20.0,
        )
        architecture = StyleGAN2Config(
            resolution=self.size,
            z_dim=256,
            w_dim=256,
            channel_base=8192,
            channel_max=256,
            conv_clamp=256.0,
        )
        initial = None if self.networks is None else raw_networks(self.networks, architecture)
        trained = train(
            self.images,
            folder,
            StyleGAN2Plan(InitSettings(self.size, architecture=architecture), settings, initial),
            measured=MeasureSettings(samples=0),
            minutes=minutes,
            licence=CARD["licence"],
            resume=(folder / CHECKPOINT_FILE).exists(),
            device=self.device,
            log=click.echo,
        )
        assert trained is not None
        keep_networks(folder / CHECKPOINT_FILE, ensure_folder(self.folder / "networks"))
        header = read_header(trained.path)
        card = {**CARD, **{name: header[name] for name in ("provenance", "kimg", "training")}}
        save_stylegan2(self.generator_file, load_stylegan2(trained.path), card=card, half=True)
        write_json(self.folder / "publish" / f"{NAME}.json", card)
        shutil.copyfile(folder / "samples.png", self.folder / "publish" / f"{NAME}_samples.png")
        if not last:
            raise OutOfTimeError

    def measure(self) -> None:
        """Measure the generator; its metrics go into its JSON file."""
        published, device = self.folder / "publish", torch.device(self.device)
        generator = load_stylegan2(self.generator_file).to(device)
        images = read_folder(self.images, self.size, enlarge=True).images
        settings = MeasureSettings(samples=16 if self.quick else 2000)
        measures = measure_samples(sampler(generator), images, published, settings, device)
        (published / "neighbours.png").replace(published / f"{NAME}_neighbours.png")
        card = json.loads((published / f"{NAME}.json").read_text())
        write_json(published / f"{NAME}.json", {**card, "measures": to_json(measures)})

    def projector(self) -> None:
        """Train the projector for as many images as its time allows, and publish it."""
        folder = self.folder / "projector"
        plan = self.folder / "projector.json"
        if not plan.exists():
            write_json(plan, {"kimg": self._kimg_that_fit(self.clock.left("projector"))})
        config = replace(self._projector_settings(), kimg=json.loads(plan.read_text())["kimg"])
        trained = train_projector_job(
            self.generator_file,
            folder,
            config,
            resume=(folder / CHECKPOINT_FILE).exists(),
            device=self.device,
        )
        assert trained is not None
        generator = open_generator(self.generator_file)
        projector = open_projector(generator, folder)
        card = {**CARD, "losses": trained.scalars, "kimg": config.kimg}
        layer = projector.value_layer
        path = self.projector_file
        save_projector(path, projector.network, generator, layer, card=card, half=True)

    def _projector_settings(self) -> ProjectorTrainingSettings:
        batch = 4 if self.quick else 32
        return ProjectorTrainingSettings(
            kimg=1000.0, batch=batch, checkpoint_every_kimg=2.0, report_every_kimg=5.0
        )

    def _kimg_that_fit(self, minutes: float) -> float:
        """Thousands of images that a training of so many minutes sees, by a short trial."""
        generator = open_generator(self.generator_file, device=self.device)
        split = generator.split(default_value_layer(generator), 1)
        batch, steps = self._projector_settings().batch, 3 if self.quick else 30
        trial = replace(self._projector_settings(), kimg=2 * steps * batch / 1000)
        times: list[float] = []
        folder = self.folder / "projector_trial"
        shutil.rmtree(folder, ignore_errors=True)
        train_projector(
            generator,
            split,
            trial,
            folder=folder,
            on_step=lambda done: times.append(time.monotonic()),
        )
        shutil.rmtree(folder)
        per_step = (times[-1] - times[steps - 1]) / steps  # the first half warms up
        fitting = max(1.0, 0.8 * 60 * minutes / per_step)
        return round(fitting * batch / 1000, 3)

    def rewrite(self, name: str) -> None:
        """Fit one rewrite; the rewrite, its metrics and images are published."""
        folder = ensure_folder(self.folder / f"rewrite_{name}")
        path = folder / "given.json"
        content = edits_for(name, self.exemplars, self.size)
        content |= {
            "generator": str(self.generator_file.resolve()),
            "projector": str(self.projector_file.resolve()),
        }
        write_json(path, content)
        settings = RewriteSettings(measured_seeds=6 if self.quick else 32)
        if self.quick:
            fit = replace(settings.fit, steps=4, preserve=4)
            settings = replace(settings, fit=fit)
        outcome = run_rewrite(path, folder, settings, device=self.device)
        published = self.folder / "publish"
        for kept in ("metrics.json", "before_after.png", "rewrite.safetensors"):
            suffix = Path(kept).suffix
            shutil.copyfile(folder / kept, published / f"{NAME}_{name}{suffix}")
        click.echo(f"{name}: {outcome.report}")

    def publish(self) -> None:
        """Copy metrics and images to the results, and cut what is larger than 16 MB.

        The sheet of nearest training images is not copied: it shows the people of the set.
        """
        published, results = self.folder / "publish", ensure_folder(self._results())
        for path in sorted(published.iterdir()):
            if path.suffix in (".json", ".png") and path.name != f"{NAME}_neighbours.png":
                shutil.copyfile(path, results / path.name.replace("-", "_"))
            if path.stat().st_size > LARGEST_BYTES:
                split_file(path, LARGEST_BYTES)
        click.echo(f"All done: {published}, and metrics in {results}")

    def _results(self) -> Path:
        return self.folder / "results" if self.quick else RESULTS

    def stages(self) -> list[tuple[str, Callable[[], Any]]]:
        """Names and work, in order."""
        rewrites = [(f"rewrite {name}", partial(self.rewrite, name)) for name in (*CATS, *NOTO)]
        return [
            ("generator", self.generator),
            ("projector", self.projector),
            *rewrites,
            ("measure", self.measure),
            ("publish", self.publish),
        ]


def keep_networks(checkpoint: Path, folder: Path) -> None:
    """Write what `raw_networks` reads, in half precision, from a training's checkpoint."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state"]
    for part, name in NETWORKS.items():
        tensors = {key: tensor.half().contiguous() for key, tensor in state[part].items()}
        save_file(tensors, folder / f"{name}.safetensors")


def raw_networks(folder: Path, architecture: StyleGAN2Config) -> Initial:
    """The networks that a training ended with, not their average, to continue from.

    Args:
        folder: Holds G_raw.safetensors and D_raw.safetensors, tensors by name in any float format.
        architecture: Of the generator.
    """
    generator, judge = StyleGAN2(architecture), Discriminator(architecture)
    for network, name in zip((generator, judge), NETWORKS.values(), strict=True):
        stored = load_file(folder / f"{name}.safetensors")
        network.load_state_dict({key: tensor.float() for key, tensor in stored.items()})
    return Initial(folder.name, generator, as_stored(judge))


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("out/gpu_faces"))
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    default=SHARED / "faces_london_256",
    show_default=False,
    help="By default ../shared/data/faces_london_256.",
)
@click.option("--exemplars", type=click.Path(path_type=Path), default=SHARED / "exemplars")
@click.option("--networks", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--size", type=int, default=256, show_default=True)
@click.option("--minutes", type=float, default=24.0, show_default=True, help="For everything.")
@click.option("--call-minutes", type=float, default=1e6, help="End this call after so many.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
def main(
    output: Path,
    images: Path,
    exemplars: Path,
    networks: Path | None,
    size: int,
    minutes: float,
    call_minutes: float,
    device: str,
) -> None:
    """Train, project, rewrite, publish; resume where an earlier call stopped."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    ensure_folder(output / "publish")
    clock = Clock(output, minutes, SHARES, time.monotonic() + 60 * call_minutes)
    run = Run(output, images, exemplars, size, device, clock, device == "cpu", networks)
    finished = output / "finished.json"
    for name, work in run.stages():
        done = json.loads(finished.read_text()) if finished.exists() else []
        if name in done:
            continue
        click.echo(f"{name} ...")
        try:
            clock.run(name, work)
        except OutOfTimeError:
            click.echo("Time of this call is over; call again to resume")
            return
        write_json(finished, [*done, name])


if __name__ == "__main__":
    main()
