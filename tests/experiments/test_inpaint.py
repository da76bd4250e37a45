"""The recipes of portraits-inpaint: training, exporting, and measuring rewrites."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from experiments.inpaint import rewrites
from experiments.inpaint.export_generator import measure, sheet, trained
from experiments.inpaint.pool import GUIDED, Pool, load_pool
from experiments.inpaint.train_generator import Settings, Trainer, run
from regen.generators.rfr.generator import Inpainter
from regen.rewriting.resolve import NoProjectorWarning
from regen.rewriting.settings import RewriteSettings
from tests.helpers.rfr import lively

SMALL = Settings(width=8, rounds=1, steps=4, batch=2, people=32)


class Difference(nn.Module):
    """In place of LPIPS."""

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return (one - other).square().mean()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    path = tmp_path_factory.mktemp("pool") / "pool.pt"
    made = load_pool(path, 32)
    assert torch.equal(load_pool(path, 32).images, made.images)
    return made


@pytest.fixture(scope="module")
def generator() -> Inpainter:
    return lively(people=True, size=64)


def test_the_pool_knows_where_parts_are(pool: Pool) -> None:
    assert len(pool) == 32 and pool.parts.shape == (32, len(pool.names), 64, 64)
    assert pool.guides.shape == (32, len(GUIDED) + 2, 32, 32)
    eyes = pool.parts[:, pool.names.index("eyes")].float()
    inside = nn.functional.avg_pool2d(eyes[:, None], 2)[:, 0] == 1
    assert (pool.guides[:, GUIDED.index("eyes")][inside] < 40).all() and inside.any()


def test_a_resumed_training_is_the_same_training(pool: Pool) -> None:
    whole = Trainer(SMALL, pool, Difference())
    losses = [whole.train_step() for _ in range(4)]
    assert {"l1", "guide"} == losses[0].keys()
    first, second = (Trainer(SMALL, pool, Difference()) for _ in "ab")
    for _ in range(2):
        first.train_step()
    second.load(first.state())
    for _ in range(2):
        second.train_step()
    for one, other in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(one, other)
    assert "lpips" in whole.train_step()  # at the end


def test_a_finished_training_is_exported(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.inpaint.train_generator.load_pool", lambda *_: pool)
    (record,) = run(replace(SMALL, steps=1), tmp_path, minutes=1)
    assert record["step"] == 1 and (tmp_path / "sheet.png").is_file()
    generator = trained(tmp_path)
    assert generator.config.width == 8
    monkeypatch.setattr("experiments.inpaint.export_generator.COUNT", 2)
    measured = measure(generator)
    assert set(measured["l1"]) == {"eyes", "nose", "mouth", "glasses"}
    assert all(0 < error < 2 for error in measured["l1"].values())
    assert sheet(generator, columns=2).shape == (1, 3, 12 * 66 - 2, 130)


def test_a_rewrite_is_measured(generator: Inpainter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Inpainter, "usual_settings", {**Inpainter.usual_settings, "fit.steps": 2, "fit.preserve": 2}
    )
    with pytest.warns(NoProjectorWarning):
        row, image = rewrites.run(rewrites.EXAMPLES / "inpaint_red_nose.json", generator, 2)
    assert row["ratio"] == row["after"]["l1"] / row["before"]["l1"]
    assert set(row["other holes"]) == {"eyes", "mouth", "glasses"}
    assert 0 < row["exemplar"]["l1"] < row["before"]["l1"]
    assert image.shape == (1, 3, 4 * 66 - 2, 12 * 66 - 2)
    assert asdict(RewriteSettings())["memory_layers"] == 3  # which this family overrides
