"""Train a StyleGAN2 on images, from the first step or a checkpoint to the last.

A run folder holds the checkpoint, from which training resumes as if it had never stopped: on the
CPU, bit for bit. Under ``torchrun`` the processes share each batch.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import TrainingError
from regen.files.atomic import ensure_folder
from regen.files.run_files import CHECKPOINT_FILE
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import initialize_discriminator
from regen.generators.stylegan2.training.loop import Loop, set_mean_style
from regen.generators.stylegan2.training.precision import training_dtype
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.trainer import Trainer
from regen.generators.trainer import Listeners
from regen.precision import name_of
from regen.training import checkpoint
from regen.training.checkpoint import (
    Identity,
    read_checkpoint,
    refuse_checkpoint,
)
from regen.training.distributed import Workers, workers
from regen.training.interrupt import deferred_interrupt

_MAY_DIFFER = {  # these change what is written during training, not the result
    "checkpoint_every_kimg",
    "snapshot_every_kimg",
    "report_every_kimg",
    "stop_sign",
    "stop_generator_loss",
    "stop_window_kimg",
    "length_kimg",
}
_STEERING = {"augmented_share", "augmentation_target", "augmentation_kimg"}


def train_generator(
    generator: StyleGAN2,
    images: Tensor,
    settings: TrainingSettings,
    *,
    folder: Path | str,
    discriminator: Discriminator | None = None,
    init_digest: str = "",
    resume: bool = False,
    minutes: float | None = None,
    listeners: Listeners | None = None,
) -> Trainer:
    """Train a generator.

    Args:
        generator: Before its first step, on the device to train on; trained in place.
        images: uint8 ``[M, 3, R, R]`` of the generator's size, at least two.
        settings: All other settings.
        folder: Run folder, made if it does not exist; the checkpoint goes there.
        discriminator: D before its first step; by default random.
        init_digest: Digest of the generator that both were initialized from, "" for none.
        resume: Resume from the folder's checkpoint, which must have been started with equal
            settings, images and initialization; the length may differ.
        minutes: Stop after so many minutes of this call, as if the length were reached.
        listeners: Called on the way.

    Returns:
        The trainer at the end; its `average` is the result, with its mean style set.

    Raises:
        TrainingError: If settings do not fit, a checkpoint cannot be resumed or would be
            overwritten, a loss is not finite, or the discriminator wins.
        StoreError: If the folder cannot be written to.
        KeyboardInterrupt: On Ctrl-C, after the step in progress and a checkpoint; at once, and
            without a new checkpoint, on a second one.
    """
    folder, listeners = ensure_folder(folder), listeners or Listeners()
    _check_images(images, generator)
    dtype = training_dtype(settings.precision, generator.device)
    with workers(generator.device) as group, deferred_interrupt() as interrupt:
        _check_batch(settings, group, dtype, generator)
        dataset = Dataset(
            images,
            seed=settings.seed,
            flip_probability=settings.flip_probability,
            device=generator.device,
        )
        judge = discriminator or _random_discriminator(generator, settings)
        trainer = Trainer(generator, judge, dataset, settings, group, dtype)
        who = identity(settings, generator, images, init_digest, dtype)
        if resume:
            trainer.load(read_checkpoint(folder, who))
            _check_finite(trainer.average, folder)
        else:
            refuse_checkpoint(folder)
            _check_wait(settings)
        Loop(trainer, folder, who, interrupt, listeners, minutes).run()
        set_mean_style(trainer.average)
        return trainer


def _random_discriminator(generator: StyleGAN2, settings: TrainingSettings) -> Discriminator:
    group, seed = settings.minibatch_group_images, settings.seed + 1
    return initialize_discriminator(generator.config, None, group=group, seed=seed).discriminator


def identity(
    settings: TrainingSettings,
    generator: StyleGAN2,
    images: Tensor,
    init_digest: str,
    dtype: torch.dtype,
) -> Identity:
    """What must be equal to resume a checkpoint; the number of processes may differ."""
    steered = settings.augmented_share < 1 or settings.augmentation_target > 0
    return checkpoint.identity(
        settings,
        _MAY_DIFFER if steered else _MAY_DIFFER | _STEERING,  # earlier checkpoints have none
        images=hashlib.sha256(images.contiguous().numpy().data).hexdigest(),
        began=init_digest,  # the names here are those of earlier checkpoints
        architecture=asdict(generator.config),
        computes_in=name_of(dtype),
    )


def _check_images(images: Tensor, generator: StyleGAN2) -> None:
    size = generator.resolution
    if images.dtype != torch.uint8 or images.shape[1:] != (3, size, size) or len(images) < 2:
        raise TrainingError(
            "images to train on",
            got=f"{images.dtype} {list(images.shape)}",
            expected=f"torch.uint8 [M, 3, {size}, {size}], M from 2",
        )


def _check_finite(generator: StyleGAN2, folder: Path) -> None:
    if not all(bool(tensor.isfinite().all()) for tensor in generator.state_dict().values()):
        raise TrainingError(
            f"{folder / CHECKPOINT_FILE} holds a generator whose weights are not finite",
            remedy="start again with smaller step sizes, or from an earlier result",
        )


def _check_wait(settings: TrainingSettings) -> None:
    if settings.generator_wait_kimg >= settings.length_kimg:
        raise TrainingError(
            "generator_wait_kimg",
            got=f"{settings.generator_wait_kimg:g}, in which the generator does not learn",
            expected=f"less than the whole training, {settings.length_kimg:g}",
            remedy="train longer, or give a smaller --generator-wait-kimg",
        )


def _check_batch(
    settings: TrainingSettings, group: Workers, dtype: torch.dtype, generator: StyleGAN2
) -> None:
    if settings.batch_images % group.count:
        raise TrainingError(
            "batch_images",
            got=settings.batch_images,
            expected=f"a multiple of the {group.count} processes",
        )
    share = settings.batch_images // group.count
    whole = math.lcm(settings.minibatch_group_images, settings.path_length_batch_shrink)
    if group.count > 1 and share % whole:
        raise TrainingError(
            "batch_images",
            got=f"{settings.batch_images}, of which each of {group.count} processes has {share}",
            expected=f"a multiple of {whole} for each, so that they do what one process would",
            remedy=f"use --batch-images {whole * group.count}, or fewer processes",
        )
    if dtype == torch.float16 and generator.config.conv_clamp is None:
        raise TrainingError(
            "precision fp16 needs an architecture with conv_clamp",
            got="none",
            remedy="use bf16",
        )
