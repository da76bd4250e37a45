"""The latent's meaning: ranges, palettes, one coordinate for each attribute."""

from __future__ import annotations

import pytest
import torch

from regen.errors import RegenError
from regen.portraits import Z_DIM, Attributes, attributes
from regen.portraits.traits import PALETTES, RANGES, trait_values


def test_every_coordinate_has_one_attribute() -> None:
    assert len(Attributes._fields) == Z_DIM == 32
    assert set(Attributes._fields) == set(RANGES) | set(PALETTES)
    assert not set(RANGES) & set(PALETTES)


def test_attributes_lie_in_their_ranges_and_use_them() -> None:
    people = attributes(torch.randn(2000, Z_DIM))
    for name, values in zip(Attributes._fields, people, strict=True):
        if name in RANGES:
            low, high = RANGES[name]
            assert values.shape == (2000,)
            assert low <= values.min() < low + 0.05 * (high - low), name
            assert high >= values.max() > high - 0.05 * (high - low), name
        else:
            palette = torch.tensor(PALETTES[name])
            assert values.shape == (2000, 3)
            assert (values >= palette.amin(dim=0) - 1e-6).all(), name
            assert (values <= palette.amax(dim=0) + 1e-6).all(), name


def test_the_middle_of_a_coordinate_is_the_middle_of_its_range() -> None:
    z = torch.ones(1, Z_DIM)
    z[0, Attributes._fields.index("scale")] = 0
    z[0, Attributes._fields.index("skin")] = 0
    person = attributes(z)
    assert person.scale.item() == pytest.approx(sum(RANGES["scale"]) / 2)
    assert person.skin[0].tolist() == pytest.approx(PALETTES["skin"][3])


def test_numbers_are_stretched_over_ranges_and_looked_up_on_palettes() -> None:
    palettes = {"fur": ((0.0, 0.0, 0.0), (1.0, 0.5, 0.0))}
    code = torch.tensor([[0.0, 0.0], [9.0, -9.0]])
    fur, ears = trait_values(code, ("fur", "ears"), {"ears": (2.0, 4.0)}, palettes)
    assert fur.tolist() == [[0.5, 0.25, 0.0], [1.0, 0.5, 0.0]] and ears.tolist() == [3.0, 2.0]


def test_the_ends_of_a_palette_are_reached() -> None:
    z = torch.zeros(2, Z_DIM)
    z[0, -1], z[1, -1] = -1, 1  # normalised to a length of sqrt(32), nearly six deviations
    ends = attributes(z).background
    assert torch.allclose(ends[0], torch.tensor(PALETTES["background"][0]), atol=1e-4)
    assert torch.allclose(ends[1], torch.tensor(PALETTES["background"][-1]), atol=1e-4)


@pytest.mark.parametrize("index", range(Z_DIM))
def test_a_coordinate_moves_its_attribute_alone(index: int) -> None:
    z = torch.randn(4, Z_DIM)
    moved = z.clone()
    moved[:, index] += 0.5
    # Undo what normalising does to the other coordinates, then compare.
    moved = moved * (z.norm(dim=1) / moved.norm(dim=1))[:, None]
    others = [i for i in range(Z_DIM) if i != index]
    moved[:, others] = z[:, others]
    rest = z.square().sum(dim=1) - moved[:, others].square().sum(dim=1)
    moved[:, index] = -torch.sign(z[:, index]) * rest.clamp(min=0).sqrt()
    for i, (before, after) in enumerate(zip(attributes(z), attributes(moved), strict=True)):
        assert torch.allclose(before, after, atol=1e-5) != (i == index)


def test_only_the_direction_of_a_latent_matters() -> None:
    z = torch.randn(3, Z_DIM)
    for once, twice in zip(attributes(z), attributes(2 * z), strict=True):
        assert torch.allclose(once, twice, atol=1e-5)


def test_attributes_have_gradients() -> None:
    z = torch.randn(2, Z_DIM, requires_grad=True)
    torch.cat([values.reshape(-1) for values in attributes(z)]).square().sum().backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()
    assert (z.grad != 0).all()


@pytest.mark.parametrize("shape", [(32,), (2, 31), (1, 32, 1)])
def test_latents_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RegenError, match=r"latents of portraits: got shape .*, expected \[N, 32\]"):
        attributes(torch.zeros(shape))
