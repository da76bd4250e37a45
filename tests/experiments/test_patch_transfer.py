from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from experiments.baselines.patch_transfer import PatchTransfer, dense_features, mean_shift
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.metrics import Lpips, load_lpips
from regen.rewriting.composite import Example
from regen.rewriting.settings import RuleSettings

SIDE = 64
FACE = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def lpips() -> Lpips:
    return load_lpips("squeeze")


@pytest.fixture
def example(generator: StyleGAN2) -> Example:
    latent = generator.latents(generator.source().samples([0]))
    red = torch.tensor([1.0, -1.0, -1.0]).reshape(1, 3, 1, 1).expand(1, 3, 40, 40)
    return Example(red, Region.box(10, 10, 20, 20), latent, Region.box(24, 24, 40, 40))


def test_the_target_itself_gets_the_exemplar_exactly_where_it_belongs(
    lpips: Lpips, example: Example
) -> None:
    edited = PatchTransfer(lpips, [example], FACE, RuleSettings(feather_px=0.0))(FACE)
    expected = FACE.clone()
    expected[..., 24:40, 24:40] = torch.tensor([1.0, -1.0, -1.0]).reshape(3, 1, 1)
    assert torch.allclose(edited, expected, atol=1e-5)


def test_what_has_moved_is_found_where_it_is(lpips: Lpips, example: Example) -> None:
    moved = FACE.roll((4, 8), dims=(2, 3))  # cells of the grid are two pixels
    edited = PatchTransfer(lpips, [example], FACE, RuleSettings(feather_px=0.0))(moved)
    red = (edited - moved).abs().amax(dim=1)[0] > 1e-3
    rows, columns = (red.any(dim=axis).nonzero().flatten().tolist() for axis in (1, 0))
    assert abs(rows[0] - 28) <= 1 and abs(rows[-1] - 43) <= 1
    assert abs(columns[0] - 32) <= 1 and abs(columns[-1] - 47) <= 1


def test_of_several_targets_the_most_similar_is_followed(lpips: Lpips, example: Example) -> None:
    other = FACE.flip(2)
    blue = replace(example, exemplar=-example.exemplar)
    transfer = PatchTransfer(lpips, [example, blue], torch.cat([FACE, other]), RuleSettings())
    edited = transfer(torch.cat([other, FACE]))
    assert edited[0, 0, 32, 32] == pytest.approx(-1.0)
    assert edited[1, 0, 32, 32] == pytest.approx(1.0)


def shifted(features: Tensor, rows: int, columns: int) -> Tensor:
    return features.roll((rows, columns), dims=(1, 2))


def test_shift_of_known_features() -> None:
    features = torch.nn.functional.normalize(torch.randn(32, 24, 24), dim=0)
    cells = torch.zeros(24, 24, dtype=torch.bool)
    cells[8:14, 9:15] = True
    shift, found = mean_shift(features, shifted(features, 2, -3), cells)
    assert shift.tolist() == [-3.0, 2.0]
    assert found == 36


def test_nothing_moves_farther_than_its_reach() -> None:
    features = torch.nn.functional.normalize(torch.randn(32, 24, 24), dim=0)
    cells = torch.zeros(24, 24, dtype=torch.bool)
    cells[8:14, 9:15] = True
    shift, found = mean_shift(features, shifted(features, 12, 0), cells)
    assert found < 36
    assert shift.abs().max() <= 4  # a sixth of the image


def test_features_are_unit_vectors_of_every_position(lpips: Lpips) -> None:
    features = dense_features(lpips, FACE)
    assert features.shape[2:] == (31, 31)
    assert torch.allclose(features.norm(dim=1), torch.ones(1, 31, 31), atol=1e-5)
