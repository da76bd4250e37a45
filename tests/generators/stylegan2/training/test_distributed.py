"""Two processes under torchrun with gloo do what one does with the whole batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regen.errors import TrainingError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training import train
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.train import train_generator
from regen.generators.trainer import Listeners
from regen.training.distributed import Workers

PROGRAM = """
import json, os, sys
from pathlib import Path
import torch
from regen.generators.stylegan2.training.train import train_generator
from regen.generators.trainer import Listeners
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.files.tensor_file import digest

folder = Path(sys.argv[1])
torch.set_num_threads(1)
given = json.loads((folder / "given.json").read_text())
generator = StyleGAN2(StyleGAN2Config(**given["architecture"]))
generator.load_state_dict(torch.load(folder / "generator.pt", weights_only=True))
images = torch.load(folder / "images.pt", weights_only=True)
reports = []
trainer = train_generator(
    generator,
    images,
    TrainingSettings(**given["settings"]),
    folder=folder / "run",
    listeners=Listeners(on_report=reports.append),
)
name = "rank" + os.environ.get("RANK", "0")
both = (trainer.average, trainer.generator, trainer.discriminator)
digests = " ".join(digest(network.state_dict()) for network in both)
(folder / (name + ".txt")).write_text(digests)
scalars = [report.scalars for report in reports]
(folder / (name + ".json")).write_text(json.dumps(scalars))
"""


def gradients(folder: Path, network: str) -> Tensor:
    """The last gradient, which is Adam's first moment with a first beta of 0, as one vector."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)["state"]
    moments = state[f"{network}_optimizer"]["state"].values()
    return torch.cat([moment["exp_avg"].flatten() for moment in moments])


def test_two_processes_equal_one_with_the_whole_batch(
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    in_two_processes: Callable[[str], None],
    tmp_path: Path,
) -> None:
    """Steps are small, since Adam turns the rounding of tiny gradients into whole steps."""
    small = replace(short, generator_lr=1e-5, discriminator_lr=1e-5, length_kimg=0.056)
    settings = {n: v for n, v in vars(small).items() if n != "augmentation"}  # the default one
    given = {"architecture": asdict(tiny.config), "settings": settings}
    (tmp_path / "given.json").write_text(json.dumps(given))
    torch.save(tiny.state_dict(), tmp_path / "generator.pt")
    torch.save(images, tmp_path / "images.pt")
    in_two_processes(PROGRAM)
    reports: list[dict[str, float]] = []
    listeners = Listeners(on_report=lambda report: reports.append(report.scalars))
    train_generator(tiny, images, small, folder=tmp_path / "one", listeners=listeners)
    logged = json.loads((tmp_path / "rank0.json").read_text())
    assert len(logged) == len(reports) == 4
    assert json.loads((tmp_path / "rank1.json").read_text()) == []
    for mine, theirs in zip(reports, logged, strict=True):
        assert theirs == pytest.approx(mine, rel=1e-4, abs=1e-5)
    for network in ("generator", "discriminator"):  # seven steps, so both end with a regulariser
        mine, theirs = (gradients(tmp_path / name, network) for name in ("one", "run"))
        assert mine.norm() > 0.01 and (mine - theirs).norm() < 1e-3 * mine.norm()
    first, second = ((tmp_path / f"rank{rank}.txt").read_text() for rank in (0, 1))
    assert first == second


def test_a_checkpoint_of_one_process_can_be_resumed_by_two(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    """The number of processes is no part of what a training is."""
    logged = train.identity(short, tiny, images, "", torch.float32)
    assert not any("process" in name for name in logged)


@pytest.mark.parametrize(
    ("processes", "message"),
    [
        (3, "batch_images: got 8, expected a multiple of the 3 processes"),
        (
            4,
            "batch_images: got 8, of which each of 4 processes has 2, expected a multiple of 4 for "
            "each, so that they do what one process would; use --batch-images 16, or fewer "
            "processes",
        ),
    ],
)
def test_a_batch_must_be_shared_evenly_and_in_whole_groups(
    processes: int,
    message: str,
    tiny: StyleGAN2,
    images: Tensor,
    short: TrainingSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else minibatch standard deviations and path lengths are not those of one process."""
    monkeypatch.setattr(train, "workers", lambda _: nullcontext(Workers(0, processes)))
    with pytest.raises(TrainingError) as raised:
        train_generator(tiny, images, short, folder=tmp_path)
    assert str(raised.value) == message
