"""Two processes under torchrun with gloo, on the tiny generator."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector import train
from regen.projector.settings import ProjectorTrainingSettings
from regen.training.distributed import Workers
from tests.tolerances import assert_near

PROGRAM = """
import json, os, signal, sys
from pathlib import Path
import torch
from regen.generators.stylegan2.network import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.training.distributed import workers
from regen.projector.config import ProjectorConfig
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import train_projector
from regen.files.tensor_file import digest

rank, folder = int(os.environ["RANK"]), Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(7)
architecture = StyleGAN2Config(16, 8, 8, channel_base=128, channel_max=8, mapping_layers=2)
generator = StyleGAN2(architecture).eval()
split = generator.split(3, 2)
config = ProjectorTrainingSettings(kimg=0.024, batch=4, warmup_kimg=0.01, report_every_kimg=0.024)
small = ProjectorConfig(16, 8, 8, (8, 8), (1, 1))
reports, seen = [], []

def train(name, **more):
    projector = train_projector(
        generator, split, config, folder=folder / name, architecture=small, **more
    )
    return digest(projector.state_dict())

def press(done):
    if done == 3:
        os.kill(os.getpid(), signal.SIGINT)

with workers(torch.device("cpu")) as group:
    state = torch.tensor([float(group.rank + 1)])
    mean = group.average(state.clone()).item()
    gathered = [t.item() for t in group.gather(state)]
    whole = train("whole", on_report=lambda report: reports.append(report.step))
    try:
        train("stopped", on_step=press)
        interrupted = False
    except KeyboardInterrupt:
        interrupted = True
    resumed = train("stopped", resume=True)
result = {"mean": mean, "gathered": gathered, "whole": whole, "resumed": resumed}
result.update(interrupted=interrupted, reports=reports, count=group.count)
(folder / f"{rank}.json").write_text(json.dumps(result))
"""


def test_two_processes_train_one_projector(
    in_two_processes: Callable[[str], None], tmp_path: Path
) -> None:
    in_two_processes(PROGRAM)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first["count"] == second["count"] == 2
    assert first["mean"] == second["mean"] == 1.5
    assert first["gathered"] == second["gathered"] == [1.0, 2.0]
    assert first["whole"] == second["whole"]
    assert first["reports"] == [6] and second["reports"] == []
    assert first["interrupted"] and second["interrupted"]
    assert first["resumed"] == second["resumed"] == first["whole"]
    state = torch.load(tmp_path / "whole" / "checkpoint.pt", weights_only=True)["state"]
    assert len(state["random"]) == 2 and not torch.equal(state["random"][0], state["random"][1])


WINDOWS = """
import json, os, sys
from pathlib import Path
import torch
from regen.projector.config import ProjectorConfig
from regen.projector.sampling import Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.trainer import Trainer
from regen.projector.windows import WindowPlan, split_for_windows
from regen.training.distributed import workers
from tests.helpers.stylegan2 import seven_convolutions

rank, folder = int(os.environ["RANK"]), Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(0)
generator = seven_convolutions()
split = split_for_windows(generator, 4, 16)
small = ProjectorConfig.for_split(split, generator, widths=(4, 4), blocks=(1, 1))
plan = WindowPlan(16, step=8, margin=3, image_size=(32, 32), ratio=2)
config = ProjectorTrainingSettings(batch=4, window=16, kimg=0.008, precision="fp32")

def sampler():
    return Sampler(generator, split, generator.source(), config, count=2, seed=rank, plan=plan)

with workers(torch.device("cpu")) as group:
    trainer = Trainer(config, small, sampler(), group, torch.device("cpu"))
    trainer.measure_values()
networks = trainer.projector, trainer.average
used = [[n.value_mean.flatten().tolist(), n.value_std.flatten().tolist()] for n in networks]
own = [found.flatten().tolist() for found in sampler().statistics()]
(folder / f"{rank}.json").write_text(json.dumps({"used": used, "own": own}))
"""


def test_processes_that_see_different_windows_have_the_same_statistics(
    in_two_processes: Callable[[str], None], tmp_path: Path
) -> None:
    in_two_processes(WINDOWS)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first["own"] != second["own"]
    mean = torch.tensor([first["own"], second["own"]]).mean(dim=0)
    assert first["used"][0] == first["used"][1] == second["used"][0] == second["used"][1]
    assert_near(torch.tensor(first["used"][0]), mean)


def test_a_batch_must_be_shared_evenly(
    tiny: StyleGAN2,
    tiny_split: StyleGAN2Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "workers", lambda _: nullcontext(Workers(0, 3)))
    config = ProjectorTrainingSettings(kimg=0.01, batch=4)
    with pytest.raises(ProjectorError, match="batch: got 4, expected a multiple of the 3 process"):
        train.train_projector(tiny, tiny_split, config, folder=tmp_path)
