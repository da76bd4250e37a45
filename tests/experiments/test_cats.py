"""The recipes of portraits-cats: pool, training, exporting, exemplars and rewrites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from experiments.cats import rewrites
from experiments.cats.draw_exemplars import NAMES, exemplar
from experiments.cats.export_generator import measure, sheet, trained
from experiments.cats.pool import GUIDED, Pool, load_pool
from experiments.cats.train_generator import Settings, Trainer, run
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.generator import Translator
from regen.generators.munit.network import MUNIT
from regen.metrics.perceptual import Lpips
from regen.portraits import attributes, cat_style, render_cat
from regen.rewriting.resolve import NoProjectorWarning
from tests.helpers.munit import lively

SMALL = Settings(width=4, blocks=1, mapping=8, steps=5, batch=2, people=32, styles=2)


def difference(one: Tensor, other: Tensor, *, differentiable: bool) -> Tensor:
    """In place of LPIPS."""
    assert differentiable
    return (one - other).square().mean(dim=(1, 2, 3))


LPIPS = cast("Lpips", difference)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    path = tmp_path_factory.mktemp("pool") / "pool.pt"
    made = load_pool(path, 32, 2, 64, compiled=False)
    assert torch.equal(load_pool(path, 32, 2, 64).cats, made.cats)
    return made


def test_the_pool_has_every_person_in_several_styles(pool: Pool) -> None:
    assert len(pool) == 32 and pool.people.shape == (32, 3, 64, 64)
    assert pool.cats.shape == (32, 2, 3, 64, 64) and pool.codes.shape == (32, 2, 8)
    assert pool.guides.shape == (32, len(GUIDED) + 2, 16, 16)
    apart = (pool.cats[:, 0].float() - pool.cats[:, 1].float()).abs().mean(dim=(1, 2, 3))
    assert (apart > 5).all()
    eyes = pool.guides[:, GUIDED.index("eyes")]
    assert (eyes < 0).flatten(1).any(dim=1).all()


def test_a_cat_of_the_pool_has_the_style_of_its_code(pool: Pool) -> None:
    """The top left corner is background, whose colour only the style knows."""
    corner = avg_pool2d(pool.cats[:, 0].float(), 4)[:, :, 0, 0] / 127.5 - 1
    people = attributes(torch.zeros(32, 32))
    expected = avg_pool2d(render_cat(people, cat_style(pool.codes[:, 0]), 64), 4)[:, :, 0, 0]
    assert (corner - expected).abs().max() < 0.1


def test_the_network_is_what_training_computes(pool: Pool) -> None:
    trainer = Trainer(SMALL, pool, LPIPS)
    people, _, codes, _ = trainer.batch()
    translated, keys = trainer._translated(people, codes)
    assert torch.equal(translated, trainer.network(people, codes))
    assert keys.shape == (2, 16, 16, 16)


@pytest.mark.parametrize("layout", ["2018", "2021"])
def test_a_resumed_training_is_the_same_training(pool: Pool, layout: str) -> None:
    settings = replace(SMALL, layout=layout)
    whole = Trainer(settings, pool, LPIPS)
    losses = [whole.train_step() for _ in range(4)]
    assert {"l1", "style", "guide"} == losses[0].keys()
    first, second = (Trainer(settings, pool, LPIPS) for _ in "ab")
    for _ in range(2):
        first.train_step()
    second.load(first.state())
    for _ in range(2):
        second.train_step()
    for one, other in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(one, other)
    assert {"lpips", "translated style"} < whole.train_step().keys()  # at the end


def test_a_finished_training_leaves_its_generator(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.cats.train_generator.load_pool", lambda *_: pool)
    (record,) = run(replace(SMALL, steps=1), tmp_path, minutes=1)
    assert record["step"] == 1 and (tmp_path / "sheet.png").is_file()
    generator = trained(tmp_path)
    assert generator.config.width == 4 and generator.oracle is not None
    monkeypatch.setattr("experiments.cats.export_generator.COUNT", 2)
    measured = measure(generator)
    assert all(measured[name] > 0 for name in ("l1", "lpips", "psnr", "style_l1"))
    assert sheet(generator, columns=2).shape == (1, 3, 6 * 66 - 2, 130)


@pytest.mark.parametrize("pattern", NAMES)
def test_the_exemplars_are_what_the_renderer_draws(pattern: str) -> None:
    with Image.open(rewrites.EXAMPLES / f"{pattern}.png") as kept:
        assert kept.mode == "RGBA" and kept.size == (256, 256)
        kept_alpha, drawn_alpha = (np.asarray(i)[..., 3] / 255 for i in (kept, exemplar(pattern)))
        assert np.abs(kept_alpha - drawn_alpha).max() < 0.02
        apart = np.abs(np.asarray(kept) / 255 - np.asarray(exemplar(pattern)) / 255)
    assert apart[kept_alpha > 0.1].max() < 0.05 and 0.01 < kept_alpha.mean() < 0.2


@pytest.mark.parametrize("pattern", NAMES)
def test_a_rewrite_is_measured_in_several_styles(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrites, "COLUMNS", 2)
    steps = {**Translator.usual_settings, "fit.steps": 2, "fit.preserve": 2}
    monkeypatch.setattr(Translator, "usual_settings", steps)
    generator = lively("2021", people=True, size=64)
    path = rewrites.EXAMPLES / f"translate_{pattern}.json"
    with pytest.warns(NoProjectorWarning):
        row, image = rewrites.run(path, generator, count=2, styles=2)
    assert row["ratio"] == row["after"]["l1"] / row["before"]["l1"]
    assert len(row["ratio by style"]) == 2
    assert 0 < row["exemplar"]["l1"] < row["before"]["l1"]
    assert image.shape == (1, 3, 4 * 66 - 2, 130)


def test_the_network_of_the_bundled_generator_is_small() -> None:
    settings = Settings()
    config = MUNITConfig(settings.layout, settings.width, settings.blocks, 8, settings.mapping, 64)
    assert sum(p.numel() for p in MUNIT(config).parameters()) * 2 < 4_000_000
