from __future__ import annotations

import copy
import os
import signal
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regen.errors import TrainingError
from regen.files.tensor_file import digest
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.train import identity, train_generator
from regen.generators.trainer import ImageSampler, Listeners, Report

pytestmark = pytest.mark.usefixtures("usual_handlers")


def trained(
    tiny: StyleGAN2,
    images: Tensor,
    settings: TrainingSettings,
    folder: Path,
    *,
    resume: bool = False,
    minutes: float | None = None,
    init_digest: str = "",
    listeners: Listeners | None = None,
) -> str:
    trainer = train_generator(
        copy.deepcopy(tiny),
        images,
        settings,
        folder=folder,
        resume=resume,
        minutes=minutes,
        init_digest=init_digest,
        listeners=listeners,
    )
    return digest(trainer.average.state_dict()) + digest(trainer.discriminator.state_dict())


@pytest.fixture(scope="module")
def finished() -> dict[str, str]:
    """What was trained to its end, so that it is trained once for all tests."""
    return {}


@pytest.fixture
def uninterrupted(
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    tmp_path: Path,
    finished: dict[str, str],
) -> str:
    if not finished:
        finished["digests"] = trained(tiny, images, short, tmp_path / "uninterrupted")
    return finished["digests"]


def test_equal_settings_give_equal_generators(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path, uninterrupted: str
) -> None:
    torch.randn(5)  # torch's own generator plays no part
    assert trained(tiny, images, short, tmp_path / "again") == uninterrupted
    assert trained(tiny, images, replace(short, seed=1), tmp_path / "c") != uninterrupted


@pytest.mark.parametrize("step", [1, 3, 6])
def test_resuming_after_ctrl_c_gives_the_same_bits(
    step: int,
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    tmp_path: Path,
    uninterrupted: str,
) -> None:
    def press(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    folder, steps = tmp_path / "run", list[int]()
    with pytest.raises(KeyboardInterrupt):
        trained(tiny, images, short, folder, listeners=Listeners(on_step=press))
    resumed = trained(
        tiny, images, short, folder, resume=True, listeners=Listeners(on_step=steps.append)
    )
    assert resumed == uninterrupted and steps == list(range(step + 1, 7))


def test_resuming_in_half_precision_gives_the_same_bits(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    coarse = replace(short, precision="bf16")
    whole = trained(tiny, images, coarse, tmp_path / "whole")
    trained(tiny, images, replace(coarse, length_kimg=0.024), tmp_path / "parts")
    assert trained(tiny, images, coarse, tmp_path / "parts", resume=True) == whole


def test_a_training_can_be_made_longer(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path, uninterrupted: str
) -> None:
    folder = tmp_path / "run"
    trained(tiny, images, replace(short, length_kimg=0.016), folder)
    assert trained(tiny, images, short, folder, resume=True) == uninterrupted


def test_time_can_be_limited(
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    tmp_path: Path,
    uninterrupted: str,
    hours_pass: None,
) -> None:
    steps: list[int] = []
    listeners = Listeners(on_step=steps.append)
    trained(tiny, images, short, tmp_path / "run", minutes=30, listeners=listeners)
    assert steps == [1]
    assert trained(tiny, images, short, tmp_path / "run", resume=True) == uninterrupted


def test_listeners(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    reports: list[Report] = []
    sheets: list[tuple[int, list[int], bool]] = []

    def look(done: int, sample: ImageSampler) -> None:
        shown = sample([0, 1])
        sheets.append((done, list(shown.shape), shown.requires_grad))

    trained(tiny, images, short, tmp_path, listeners=Listeners(None, reports.append, look))
    assert sheets == [(done, [2, 3, 16, 16], False) for done in (0, 2, 4, 6)]
    assert [(r.step, r.kimg) for r in reports] == [(2, 0.016), (4, 0.032), (6, 0.048)]
    assert {"r1", "generator", "discriminator"} <= set(reports[0].scalars)
    assert "path_length" in reports[0].scalars and "path_length" not in reports[2].scalars


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"r1_gamma": 9.0}, "r1_gamma: got 9.0, expected 1.0, as when it started"),
        ({"seed": 4}, "seed: got 4, expected 0, as when it started"),
        ({"precision": "bf16"}, "computes_in: got bf16, expected fp32, as when"),
    ],
)
def test_other_settings_are_not_resumed(
    change: dict[str, object],
    text: str,
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    tmp_path: Path,
) -> None:
    trained(tiny, images, replace(short, length_kimg=0.008), tmp_path)
    with pytest.raises(TrainingError) as raised:
        trained(tiny, images, replace(short, **change), tmp_path, resume=True)  # type: ignore[arg-type]
    assert text in str(raised.value)


def test_other_images_or_initializations_are_not_resumed(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    trained(tiny, images, replace(short, length_kimg=0.008), tmp_path)
    with pytest.raises(TrainingError, match=r"cannot resume .*: images: got "):
        trained(tiny, images[:6], short, tmp_path, resume=True)
    with pytest.raises(TrainingError, match=r"cannot resume .*: began: got abc"):
        trained(tiny, images, short, tmp_path, resume=True, init_digest="abc")
    with pytest.raises(TrainingError, match="holds an earlier training"):
        trained(tiny, images, short, tmp_path)


def test_a_failed_training_leaves_its_checkpoint(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    easy = replace(short, stop_sign=0.0, stop_generator_loss=1e-6, stop_window_kimg=0.032)
    with pytest.raises(TrainingError, match="the discriminator wins"):
        # Any mean sign above 0 and any loss are enough here: D needs no more than a few steps.
        trained(tiny, images, replace(easy, length_kimg=2.0), tmp_path)
    assert (tmp_path / "checkpoint.pt").is_file()


def test_a_loss_that_is_not_finite_stops(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    with torch.no_grad():
        tiny.conv(2).bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"in step 0: generator: got nan, expected a finite"):
        trained(tiny, images, short, tmp_path)


def test_a_discriminator_can_be_given(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    given = Discriminator(tiny.config)
    trainer = train_generator(tiny, images, short, folder=tmp_path, discriminator=given)
    assert trainer.discriminator is given


def test_images_of_another_size(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"expected torch\.uint8 \[M, 3, 16, 16\], M from 2"):
        trained(tiny, images[..., :8], short, tmp_path)


def test_the_digest_of_the_images_takes_no_copy_of_them(
    tiny: StyleGAN2, short: TrainingSettings
) -> None:
    images = torch.zeros(1000, 3, 16, 16, dtype=torch.uint8)
    tracemalloc.start()
    try:
        identity(short, tiny, images, "", torch.float32)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < images.nbytes / 2
