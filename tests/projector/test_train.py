from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import ProjectorError, StoreError, TrainingError
from regen.files.tensor_file import digest
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector import trainer
from regen.projector.config import ProjectorConfig
from regen.projector.losses import ProjectorLoss, total_loss
from regen.projector.network import BackwardProjector
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import Report, train_projector
from tests.helpers.stylegan2 import tiny_generator

pytestmark = pytest.mark.usefixtures("usual_handlers")

SHORT = ProjectorTrainingSettings(
    kimg=0.048, batch=4, warmup_kimg=0.01, checkpoint_every_kimg=0.02, report_every_kimg=0.02
)
ARCHITECTURE = ProjectorConfig(16, 8, 8, (8, 8), (1, 1))


def weights(projector: BackwardProjector) -> str:
    return digest(projector.state_dict())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a training that ran to its end, and its result: trained once for all."""
    folder, tiny = tmp_path_factory.mktemp("run"), tiny_generator().eval().requires_grad_(False)
    split = tiny.split(3, 2)
    projector = train_projector(tiny, split, SHORT, folder=folder, architecture=ARCHITECTURE)
    return folder, weights(projector)


@pytest.fixture
def uninterrupted(finished: tuple[Path, str], tmp_path: Path) -> str:
    """What that training gives; a copy of its folder is ``tmp_path / "uninterrupted"``."""
    shutil.copytree(finished[0], tmp_path / "uninterrupted")
    return finished[1]


def test_equal_settings_give_equal_projectors(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    torch.randn(5)  # torch's own generator plays no part
    again = train_projector(
        tiny, tiny_split, SHORT, folder=tmp_path / "again", architecture=ARCHITECTURE
    )
    assert weights(again) == uninterrupted
    other = replace(SHORT, seed=1)
    seeded = train_projector(
        tiny, tiny_split, other, folder=tmp_path / "other", architecture=ARCHITECTURE
    )
    assert weights(seeded) != uninterrupted


def test_the_result_is_ready_for_use(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    projector = train_projector(tiny, tiny_split, SHORT, folder=tmp_path)
    assert projector.config == ProjectorConfig.for_split(tiny_split, tiny)
    assert not projector.training and projector.precision == torch.float32
    assert not any(p.requires_grad for p in projector.parameters())
    assert projector.value_std.min() > 0
    assert projector(torch.zeros(1, 3, 16, 16)).shape == (1, 8, 8, 8)


def test_auto_resumes_what_it_means_here(
    monkeypatch: pytest.MonkeyPatch, tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    def train(settings: ProjectorTrainingSettings, resume: bool) -> None:
        train_projector(
            tiny,
            tiny_split,
            settings,
            folder=tmp_path,
            architecture=ARCHITECTURE,
            resume=resume,
        )

    auto = replace(SHORT, precision="auto")
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    train(auto, resume=False)
    train(replace(SHORT, precision="fp32"), resume=True)
    train(auto, resume=True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    with pytest.raises(TrainingError, match="precision: got bf16, expected fp32, as when it"):
        train(auto, resume=True)


@pytest.mark.parametrize("step", [1, 5, 8])
def test_resuming_after_ctrl_c_gives_the_same_bits(
    step: int, tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    def press(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train_projector(
            tiny, tiny_split, SHORT, folder=folder, architecture=ARCHITECTURE, on_step=press
        )
    steps: list[int] = []
    resumed = train_projector(
        tiny,
        tiny_split,
        SHORT,
        folder=folder,
        architecture=ARCHITECTURE,
        resume=True,
        on_step=steps.append,
    )
    assert steps == list(range(step + 1, 13))
    assert weights(resumed) == uninterrupted


def test_a_second_ctrl_c_stops_at_once(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    def press(done: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train_projector(tiny, tiny_split, SHORT, folder=tmp_path, on_step=press)
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is handler


def test_resuming_after_a_crash_goes_on_from_the_last_checkpoint(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    def crash(done: int) -> None:
        if done == 8:
            raise MemoryError

    folder, steps = tmp_path / "run", list[int]()
    arguments = {"folder": folder, "architecture": ARCHITECTURE}
    with pytest.raises(MemoryError):
        train_projector(tiny, tiny_split, SHORT, **arguments, on_step=crash)  # type: ignore[arg-type]
    resumed = train_projector(
        tiny,
        tiny_split,
        SHORT,
        **arguments,  # type: ignore[arg-type]
        resume=True,
        on_step=steps.append,
    )
    assert steps[0] == 6  # checkpoints are written every 5 steps
    assert weights(resumed) == uninterrupted


def test_resuming_a_finished_training_gives_its_result(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    folder = tmp_path / "uninterrupted"
    again = train_projector(
        tiny, tiny_split, SHORT, folder=folder, architecture=ARCHITECTURE, resume=True
    )
    assert weights(again) == uninterrupted


def test_resuming_with_other_settings_is_refused(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    folder = tmp_path / "uninterrupted"
    choices = {"folder": folder, "resume": True, "architecture": ARCHITECTURE}
    with pytest.raises(TrainingError, match=r"feature_l1: got 2.0, expected 1.0, as when"):
        train_projector(tiny, tiny_split, replace(SHORT, feature_l1=2.0), **choices)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=r"value_layer: got 2, expected 3, as when"):
        train_projector(tiny, tiny.split(2, 1), SHORT, **choices)  # type: ignore[arg-type]
    with pytest.raises(
        TrainingError, match=r"extra_images: got [0-9a-f]{12}\.\.\., expected none, as when"
    ):
        extra = torch.zeros(1, 3, 16, 16)
        train_projector(tiny, tiny_split, SHORT, **choices, extra_images=extra)  # type: ignore[arg-type]


def test_a_new_training_refuses_a_folder_in_use(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    with pytest.raises(TrainingError, match="holds an earlier training"):
        train_projector(tiny, tiny_split, SHORT, folder=tmp_path / "uninterrupted")


def test_reports_tell_how_it_goes(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    reports: list[Report] = []
    train_projector(tiny, tiny_split, SHORT, folder=tmp_path, on_report=reports.append)
    assert [report.step for report in reports] == [5, 10, 12]
    last = reports[-1]
    assert last.steps == 12 and last.kimg == pytest.approx(0.048)
    names = ("feature_l1", "adversarial", "semi_cycle_l1", "semi_cycle_ssim", "discriminator")
    assert set(last.scalars) == {*names, "lr"}
    assert set(reports[0].scalars) == {*names, "lr", "r1"}
    assert last.inputs.shape == (4, 3, 16, 16)
    assert last.decoded is not None and last.decoded.shape == (4, 3, 16, 16)


def test_the_generator_is_returned_as_it_was(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    tiny.requires_grad_(True).train()
    tiny.synthesis.const.requires_grad_(False)
    before, seen = tiny.digest(), list[object]()

    def look(done: int) -> None:
        flags = {p.requires_grad for p in tiny.parameters()} | {m.training for m in tiny.modules()}
        seen.append((flags, tiny.precision))

    coarse = replace(SHORT, precision="bf16")
    train_projector(tiny, tiny_split, coarse, folder=tmp_path, on_step=look)
    assert set(map(str, seen)) == {"({False}, torch.bfloat16)"}
    assert tiny.digest() == before and tiny.precision == torch.float32
    fixed = {name for name, p in tiny.named_parameters() if not p.requires_grad}
    assert fixed == {"synthesis.const"} and all(p.grad is None for p in tiny.parameters())
    assert all(module.training for module in tiny.modules())


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(range(12))

    def broken(*arguments: Any, **more: Any) -> ProjectorLoss:
        loss = total_loss(*arguments, **more)
        return replace(loss, total=loss.total * float("nan")) if next(steps) == 7 else loss

    monkeypatch.setattr(trainer, "total_loss", broken)
    with pytest.raises(ProjectorError, match="training stopped in step 8: feature_l1: got nan"):
        train_projector(tiny, tiny_split, SHORT, folder=tmp_path, architecture=ARCHITECTURE)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]
    assert saved["done"] == 5
    assert all(torch.isfinite(t).all() for t in saved["projector"].values())


def test_extra_images_take_part(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path, uninterrupted: str
) -> None:
    extra = torch.rand(50, 3, 16, 16)
    projector = train_projector(
        tiny,
        tiny_split,
        SHORT,
        folder=tmp_path / "extra",
        architecture=ARCHITECTURE,
        extra_images=extra,
    )
    assert weights(projector) != uninterrupted


def test_a_folder_that_cannot_be_written_to(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        train_projector(tiny, tiny_split, SHORT, folder=tmp_path / "file" / "run")
