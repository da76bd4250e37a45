"""Windows of samples, which B can be trained on in place of whole images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import ProjectorError
from regen.generators.crops import CropSplit, Window, cut
from regen.generators.stylegan2.generator import StyleGAN2
from regen.projector import sampling
from regen.projector.composites import composite
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from regen.projector.sampling import Sampler
from regen.projector.settings import CompositeSettings, ProjectorTrainingSettings
from regen.projector.train import Report, train_projector
from regen.projector.trainer import Trainer
from regen.projector.windows import WindowPlan, split_for_windows
from regen.seeds import VALUE_STATISTICS
from regen.training.distributed import Workers
from tests.helpers.stylegan2 import seven_convolutions
from tests.tolerances import assert_near

SIDE = 16
SETTINGS = ProjectorTrainingSettings(batch=4, window=SIDE, kimg=0.008, precision="fp32")


@pytest.fixture
def generator(seed: int) -> StyleGAN2:
    """Images of 32x32, noise included."""
    return seven_convolutions()


@pytest.fixture
def architecture(generator: StyleGAN2) -> ProjectorConfig:
    """Values of 16x16 behind convolution 4, two sizes, a block at each."""
    return ProjectorConfig.for_split(generator.split(4, 1), generator, widths=(4, 4), blocks=(1, 1))


@pytest.fixture
def plan() -> WindowPlan:
    """Windows of 16 with a margin of 3, narrower than B's reach, which has no room here."""
    return WindowPlan(SIDE, step=8, margin=3, image_size=(32, 32), ratio=2)


def sampler(generator: StyleGAN2, plan: WindowPlan, **settings: object) -> Sampler:
    split = split_for_windows(generator, 4, SIDE)
    config = replace(SETTINGS, **settings)  # type: ignore[arg-type]
    return Sampler(generator, split, generator.source(), config, count=4, seed=3, plan=plan)


def test_windows_of_samples_are_parts_of_their_images(
    generator: StyleGAN2, plan: WindowPlan
) -> None:
    source = sampler(generator, plan, composites=0.0)
    batch = source.next_batch()
    assert batch.image.shape == (4, 3, SIDE, SIDE) and batch.wanted.shape == (4, 8, 8, 8)
    random = torch.Generator().manual_seed(3)
    numbers = torch.randint(2**31, [4], generator=random).tolist()
    windows = plan.choose(4, random)
    split = generator.split(4, 1)
    value = split.value_of(generator.latents(generator.source().varied(numbers)))
    assert_near(batch.image, cut(split.tail(value), windows))
    halves = [Window(w.top // 2, w.left // 2, 8, 8) for w in windows]
    assert_near(batch.wanted, cut(value.features, halves))


def test_the_true_value_within_itself_decodes_to_the_window(
    generator: StyleGAN2, plan: WindowPlan
) -> None:
    source = sampler(generator, plan, composites=0.0)
    batch = source.next_batch()
    same = batch.completed(batch.wanted)
    assert torch.equal(same, batch.value.features)
    other = batch.completed(batch.wanted + 1)
    assert not torch.equal(other, same) and other.shape == same.shape
    decoded = source.split.tail(batch.value.with_features(same))
    assert torch.equal(decoded, batch.image)


def test_whole_images_need_no_completion() -> None:
    generator = seven_convolutions()
    config = replace(SETTINGS, window=0)
    source = Sampler(generator, generator.split(4, 1), generator.source(), config, count=2, seed=0)
    batch = source.next_batch()
    prediction = torch.zeros_like(batch.value.features)
    assert batch.completed(prediction) is prediction
    assert torch.equal(batch.wanted, batch.value.features) and batch.counted is None


def test_margins_at_cut_edges_do_not_count(plan: WindowPlan) -> None:
    corner, middle = plan.counted([Window(0, 0, SIDE, SIDE), Window(8, 8, SIDE, SIDE)])[:, 0]
    assert corner[:-3, :-3].min() == 1 and corner[-3:].max() == corner[:, -3:].max() == 0
    assert middle[3:-3, 3:-3].min() == 1
    assert middle.sum() == (SIDE - 6) ** 2


def test_positions_of_the_value_under_a_margin_are_not_kept(
    generator: StyleGAN2, plan: WindowPlan
) -> None:
    batch = sampler(generator, plan, composites=0.0).next_batch()
    assert batch.counted is not None
    for kept, counted in zip(batch.kept[:, 0], batch.counted[:, 0], strict=True):
        assert torch.equal(kept, counted.unfold(0, 2, 2).unfold(1, 2, 2).amin(dim=(2, 3)))


def test_patterns_are_as_large_as_in_whole_images(generator: StyleGAN2, plan: WindowPlan) -> None:
    pastes = CompositeSettings(pastes=(4, 4), radius=(32, 32), usual=0.0, softest=0.1)
    source = sampler(generator, plan, composites=1.0, pastes=pastes)
    pasted = torch.cat([source.next_batch().pasted for _ in range(5)])
    covered = pasted[pasted.amax(dim=(1, 2, 3)) == 1].flatten(1).mean(dim=1)
    assert len(covered) > 10 and covered.max() > 0.2  # a paste is half as wide as the image


def test_pieces_of_extra_images_are_windows_of_them(
    generator: StyleGAN2, plan: WindowPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[torch.Tensor] = []

    def spied(images: torch.Tensor, *more: Any, **options: Any) -> Any:
        given.append(options["extra"])
        return composite(images, *more, **options)

    monkeypatch.setattr(sampling, "composite", spied)
    source = sampler(generator, plan, composites=1.0)
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    places = torch.stack([rows, columns, torch.zeros(32, 32)]) / 32
    source.extra = torch.stack([places, places + torch.tensor([0, 0, 1.0])[:, None, None]])
    for _ in range(12):
        source.next_batch()
    corners = {tuple((extra[0, :2, 0, 0] * 32).int().tolist()) for extra in given}
    assert len(corners) > 3 and {side for corner in corners for side in corner} == {0, 8, 16}
    for extra in given:
        top, left = (extra[0, :2, 0, 0] * 32).int().tolist()
        wanted = source.extra[:, :, top : top + SIDE, left : left + SIDE]
        assert torch.equal(extra, wanted)


def test_all_places_are_chosen(plan: WindowPlan) -> None:
    windows = plan.choose(500, torch.Generator().manual_seed(0))
    assert {w.top for w in windows} == {w.left for w in windows} == {0, 8, 16}


def test_within_its_reach_b_sees_the_same_in_a_window(architecture: ProjectorConfig) -> None:
    network = BackwardProjector(architecture).eval()
    torch.nn.init.zeros_(network.alignment.up.weight)  # the coarser size, which reaches further
    image, at = torch.rand(1, 3, 32, 32) * 2 - 1, architecture.reach
    with torch.no_grad():
        whole = network.normalised(image)
        right = network.windowed(image[..., :, 4:])
    assert_near(right[..., -(-at // 2) :], whole[..., 2 + -(-at // 2) :])
    nearest = (
        (right[..., : at // 2 - 1] - whole[..., 2 : 2 + at // 2 - 1]).abs().amax(dim=(0, 1, 2))
    )
    assert nearest.min() > 0  # and no further


@pytest.mark.parametrize(
    ("ratio", "blocks", "reach"), [(1, 1, 6), (2, 1, 13), (4, 1, 27), (2, 2, 21)]
)
def test_the_reach_of_an_architecture(ratio: int, blocks: int, reach: int) -> None:
    config = ProjectorConfig(ratio * 16, 8, 16, (4,), (blocks,))
    assert config.reach == reach


def test_the_longest_memory_that_windows_allow_is_cut(generator: StyleGAN2) -> None:
    split, longer = split_for_windows(generator, 6, 16), generator.split(6, 3)
    assert isinstance(split, CropSplit) and isinstance(longer, CropSplit)
    assert (split.memory_layers, split.cell, longer.cell) == (2, 4, 8)
    assert split_for_windows(generator, 6, 0).memory_layers == 1


@pytest.mark.parametrize("side", [20, 24, 32, 64])
def test_sides_that_do_not_fit(
    generator: StyleGAN2, architecture: ProjectorConfig, side: int
) -> None:
    message = f"windows of samples: side in pixels: got {side}, expected a multiple of 8, above 26"
    with pytest.raises(ProjectorError, match=message):
        WindowPlan.of(side, generator.split(4, 1), architecture)


def test_families_that_generate_whole_images_only(
    generator: StyleGAN2, architecture: ProjectorConfig
) -> None:
    with pytest.raises(ProjectorError, match="expected 0, whole images"):
        WindowPlan.of(16, object(), architecture)  # type: ignore[arg-type]


def test_a_projector_is_trained_on_windows_and_projects_whole_images(
    generator: StyleGAN2, tmp_path: Path
) -> None:
    split = split_for_windows(generator, 6, SIDE)
    architecture = ProjectorConfig.for_split(split, generator, widths=(4, 4), blocks=(1, 1))
    reports: list[Report] = []
    projector = train_projector(
        generator,
        split,
        SETTINGS,
        folder=tmp_path,
        architecture=architecture,
        on_report=reports.append,
    )
    assert projector(torch.zeros(1, 3, 32, 32)).shape == (1, 8, 32, 32)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]
    for name in ("value_mean", "value_std"):
        assert torch.equal(state["projector"][name], projector.get_buffer(name))
    assert {"feature_l1", "adversarial", "semi_cycle_l1", "semi_cycle_ssim"} < set(
        reports[-1].scalars
    )
    assert reports[-1].decoded is not None and reports[-1].decoded.shape == (4, 3, SIDE, SIDE)


def test_a_projector_and_its_average_have_the_same_statistics(
    generator: StyleGAN2, plan: WindowPlan, architecture: ProjectorConfig
) -> None:
    """The average is the result: it must denormalise as the training normalised."""
    source = sampler(generator, plan)
    trainer = Trainer(SETTINGS, architecture, source, Workers(), generator.device)
    trainer.measure_values()
    one, other = dict(trainer.projector.named_buffers()), dict(trainer.average.named_buffers())
    assert set(one) == {"value_mean", "value_std"}
    assert all(torch.equal(one[name], other[name]) for name in one)
    mean, std = sampler(generator, plan).statistics()
    assert torch.equal(one["value_mean"], mean) and torch.equal(one["value_std"], std)


def test_windows_are_decoded_in_their_own_context() -> None:
    with pytest.raises(ProjectorError, match="context: got mean, expected own, since only windows"):
        replace(SETTINGS, context="mean")


def test_statistics_are_those_of_windows(generator: StyleGAN2, plan: WindowPlan) -> None:
    source = sampler(generator, plan)
    assert isinstance(source.split, CropSplit)
    mean, std = source.statistics(32)
    random = torch.Generator().manual_seed(3)
    windows = [window for _ in range(2) for window in plan.choose(16, random)]
    samples = generator.source().varied(VALUE_STATISTICS.take(32))
    whole = generator.split(4, 1).value_of(generator.latents(samples)).features
    values = cut(whole, source.split.value_windows(windows))
    assert_near(mean, values.mean(dim=(0, 2, 3), keepdim=True))
    wanted = values.std(dim=(0, 2, 3), keepdim=True, correction=0)
    assert torch.allclose(std, wanted, rtol=1e-3, atol=1e-5)
