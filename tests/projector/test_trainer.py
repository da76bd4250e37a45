from __future__ import annotations

import copy
import math

import pytest
import torch

from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.precision import DTYPES
from regen.projector.config import ProjectorConfig
from regen.projector.sampling import Sampler
from regen.projector.settings import Precision, ProjectorTrainingSettings
from regen.projector.trainer import Trainer, step_size
from regen.training.distributed import Workers
from regen.training.graphs import Graphs
from tests.helpers.munit import lively as translates
from tests.helpers.recording import Tracer
from tests.helpers.rfr import lively as fills


def trainer(
    tiny: StyleGAN2, split: StyleGAN2Split, graphs: Graphs | None = None, **settings: object
) -> Trainer:
    choices = {"kimg": 0.4, "batch": 4, "precision": "fp32", "warmup_kimg": 0.0, **settings}
    config = ProjectorTrainingSettings(**choices)  # type: ignore[arg-type]
    sampler = Sampler(tiny, split, tiny.source(), config, count=4, seed=0, graphs=graphs)
    architecture = ProjectorConfig.for_split(split, tiny, widths=(8, 8), blocks=(1, 1))
    made = Trainer(config, architecture, sampler, Workers(), torch.device("cpu"))
    made.measure_values()
    return made


def test_the_step_size_rises_and_falls() -> None:
    config = ProjectorTrainingSettings(kimg=1.0, batch=10, lr=2.0, warmup_kimg=0.1)
    sizes = [step_size(config, step) for step in range(config.steps)]
    assert sizes[0] == pytest.approx(0.2) and max(sizes) == pytest.approx(2.0, rel=0.05)
    assert sizes[9:] == sorted(sizes[9:], reverse=True)
    assert step_size(config, config.steps) == pytest.approx(0.02)


def test_a_constant_step_size_stays() -> None:
    config = ProjectorTrainingSettings(lr=2.0, schedule="constant", warmup_kimg=0.0)
    assert {step_size(config, step) for step in (0, 10, config.steps)} == {2.0}


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (
            {},
            {
                "feature_l1",
                "adversarial",
                "semi_cycle_l1",
                "semi_cycle_ssim",
                "discriminator",
                "r1",
            },
        ),
        ({"adversarial": 0.0}, {"feature_l1", "semi_cycle_l1", "semi_cycle_ssim"}),
        ({"adversarial": 0.0, "semi_cycle_ssim": 0.0}, {"feature_l1", "semi_cycle_l1"}),
        ({"adversarial": 0.0, "feature_l1": 0.0, "semi_cycle_l1": 0.0}, {"semi_cycle_ssim"}),
    ],
)
def test_losses_without_a_weight_are_left_out(
    settings: dict[str, float], wanted: set[str], tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    losses, _, decoded = trainer(tiny, tiny_split, **settings).step()
    assert set(losses) == wanted
    assert all(math.isfinite(loss) for loss in losses.values())
    assert decoded is not None and decoded.shape == (4, 3, 16, 16)


def test_nothing_is_decoded_without_a_semi_cycle(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    assert trainer(tiny, tiny_split, semi_cycle_l1=0.0, semi_cycle_ssim=0.0).step()[2] is None


@pytest.mark.parametrize("loss", ["feature_l1", "semi_cycle_l1", "semi_cycle_ssim"])
def test_each_loss_falls_by_itself(loss: str, tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    weights = dict.fromkeys(("feature_l1", "adversarial", "semi_cycle_l1", "semi_cycle_ssim"), 0.0)
    made = trainer(tiny, tiny_split, lr=0.005, **{**weights, loss: 1.0})
    losses = [made.step()[0][loss] for _ in range(60)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_context_changes_what_is_decoded(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    first = [trainer(tiny, tiny_split, context=c).step()[0] for c in ("own", "mean", "swap")]
    assert len({losses["feature_l1"] for losses in first}) == 1
    assert len({losses["semi_cycle_l1"] for losses in first}) == 3


def test_the_generator_gets_no_gradient(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    before = tiny.digest()
    trainer(tiny, tiny_split).step()
    assert tiny.digest() == before
    assert all(p.grad is None for p in tiny.parameters())


def test_the_average_follows(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    made = trainer(tiny, tiny_split, ema_halflife_kimg=0.0)
    made.step()
    for new, mean in zip(made.projector.parameters(), made.average.parameters(), strict=True):
        assert torch.equal(new, mean)


def test_the_penalty_is_added_every_so_often(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    without = trainer(tiny, tiny_split, r1_gamma=0.0)
    with_it = trainer(tiny, tiny_split, r1_gamma=9.0, r1_every_steps=2)
    losses = [with_it.step()[0] for _ in range(3)]
    assert ["r1" in each for each in losses] == [True, False, True]
    assert "r1" not in without.step()[0]
    mine, other = with_it.discriminator.last.weight, without.discriminator.last.weight
    assert not torch.equal(mine, other)


def test_a_loss_that_is_not_finite_stops_training(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    made = trainer(tiny, tiny_split)
    made.step()
    with torch.no_grad():
        made.projector.last.bias[0] = float("nan")
    before = {name: t.clone() for name, t in made.average.state_dict().items()}
    message = (
        "training stopped in step 1: feature_l1: got nan, expected a finite loss; "
        r"lower lr \(now 0.002\) or use precision fp32"
    )
    with pytest.raises(ProjectorError, match=message):
        made.step()
    assert made.done == 1
    assert all(torch.equal(t, before[name]) for name, t in made.average.state_dict().items())


def test_half_precision_trains(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    tiny.precision = torch.bfloat16
    made = trainer(tiny, tiny_split, precision="bf16")
    losses = [made.step()[0]["feature_l1"] for _ in range(30)]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert all(p.dtype == torch.float32 for p in made.projector.parameters())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"precision": "bf16"},
        {"context": "swap"},
        {"context": "mean", "composites": 0.0},
        {"semi_cycle_l1": 0.0, "semi_cycle_ssim": 0.0},
    ],
)
def test_recorded_steps_give_the_same_bits(
    settings: dict[str, object], tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    """Samples and both networks' parts are pure functions of tensors, so a GPU may replay them."""
    tracer, often = Tracer(), {"r1_every_steps": 2, "r1_gamma": 9.0, **settings}
    plain = trainer(tiny, tiny_split, **often)
    recorded = trainer(tiny, tiny_split, Graphs(tracer), **often)
    for _ in range(5):
        (losses, batch, decoded), again = plain.step(), recorded.step()
        assert losses == again[0] and torch.equal(batch.image, again[1].image)
        assert (decoded is None) == (again[2] is None)
        assert decoded is None or again[2] is None or torch.equal(decoded, again[2])
    assert _same(plain, recorded)
    assert tracer.replays == 5 + 5 + 5  # samples, B, discriminator


def test_a_resumed_training_may_be_recorded(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    often = {"r1_every_steps": 2, "kimg": 0.02}
    plain = trainer(tiny, tiny_split, **often)
    recorded = trainer(tiny, tiny_split, Graphs(Tracer()), **often)
    for _ in range(2):
        plain.step()
    recorded.step()
    recorded.load(copy.deepcopy(plain.state()))
    for _ in range(3):
        assert plain.step()[0] == recorded.step()[0]
    assert _same(plain, recorded)


def _same(one: Trainer, other: Trainer) -> bool:
    pairs = zip(one._parts().values(), other._parts().values(), strict=True)
    return all(str(a.state_dict()) == str(b.state_dict()) for a, b in pairs) and all(
        torch.equal(a, b)
        for a, b in zip(one.average.parameters(), other.average.parameters(), strict=True)
    )


def test_no_weight_moves_where_the_discriminators_loss_is_not_finite(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    made = trainer(tiny, tiny_split, adversarial=1e-3)
    made.step()
    judge = made.discriminator
    judge.forward = lambda x: type(judge).forward(judge, x) * _nan_if(not x.requires_grad)  # type: ignore[method-assign]
    before = {name: t.clone() for name, t in made.projector.state_dict().items()}
    with pytest.raises(ProjectorError, match="training stopped in step 1: discriminator: got nan"):
        made.step()
    assert all(torch.equal(t, before[name]) for name, t in made.projector.state_dict().items())


def _nan_if(wanted: bool) -> float:
    return math.nan if wanted else 1.0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("family", ["rfr", "munit"])
def test_steps_of_other_families_may_be_recorded(family: str, precision: Precision) -> None:
    generator = fills(people=True) if family == "rfr" else translates(people=True)
    generator.eval().requires_grad_(False)
    split = generator.split(2, 1)
    config = ProjectorTrainingSettings(kimg=0.4, batch=2, precision=precision, r1_every_steps=2)
    architecture = ProjectorConfig.for_split(split, generator, widths=(8, 8), blocks=(1, 1))
    made = []
    for graphs in (Graphs(None), Graphs(Tracer())):
        sampler = Sampler(
            generator, split, generator.source(), config, count=2, seed=0, graphs=graphs
        )
        made.append(Trainer(config, architecture, sampler, Workers(), torch.device("cpu")))
        made[-1].measure_values()
    with generator.computing_in(DTYPES[precision]):
        for _ in range(3):
            assert made[0].step()[0] == made[1].step()[0]
    assert _same(*made)
