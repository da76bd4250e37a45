"""The network in both layouts against a second implementation, written from the facts alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.generators.munit.naming import tensor_names
from regen.generators.munit.network import MUNIT
from tests.generators.munit.reference import style_of, translate_2018, translate_2021
from tests.helpers.munit import images_and_styles, lively_network
from tests.tolerances import assert_near

REFERENCES = {"2018": translate_2018, "2021": translate_2021}
LAYOUTS = pytest.mark.parametrize("layout", list(REFERENCES))


def state(network: MUNIT) -> dict[str, Tensor]:
    """The tensors by the original's names."""
    own = network.state_dict()
    return {theirs: own[name] for theirs, name in tensor_names(network)}


@LAYOUTS
@pytest.mark.parametrize(
    "changes",
    [{}, {"width": 6, "blocks": 3, "style": 5, "mapping": 9}, {"width": 16, "blocks": 4}],
)
def test_the_network_is_that_of_the_facts(layout: str, changes: dict[str, int]) -> None:
    network = lively_network(layout, **changes)
    image, style = images_and_styles(2, (48, 32), style=network.config.style)
    wanted = REFERENCES[layout](state(network), image, style, network.config.blocks)
    assert wanted.std() > 0.05
    assert_near(network(image, style), wanted, size=10)


@LAYOUTS
def test_the_style_of_an_image(layout: str) -> None:
    network = lively_network(layout)
    image, _ = images_and_styles(2, (48, 32))
    wanted = style_of(state(network), image, layout)
    assert wanted.std() > 0.05
    assert_near(network.style_encoder(image), wanted, size=10)


@LAYOUTS
def test_names_of_all_tensors(layout: str) -> None:
    network = lively_network(layout, blocks=4)
    own = [name for _, name in tensor_names(network)]
    assert sorted(own) == sorted(network.state_dict())
    assert len({theirs for theirs, _ in tensor_names(network)}) == len(own)
    assert len(own) == {"2018": 66, "2021": 102}[layout]


@LAYOUTS
def test_a_sample_does_not_depend_on_its_neighbours(layout: str) -> None:
    network = lively_network(layout)
    image, style = images_and_styles(3, (32, 32))
    assert_near(network(image, style)[1:2], network(image[1:2], style[1:2]), size=10)


@LAYOUTS
def test_image_and_style_both_matter(layout: str) -> None:
    network = lively_network(layout)
    image, style = images_and_styles(2, (32, 32))
    plain = network(image, style)
    for other in (network(image.flip(0), style), network(image, style.flip(0))):
        assert (plain - other).abs().mean() > 0.01


def test_only_the_first_layout_is_limited() -> None:
    image, style = images_and_styles(1, (32, 32))
    first, improved = (lively_network(layout)(image, 30 * style) for layout in REFERENCES)
    assert first.abs().max() <= 1 < improved.abs().max()


def test_every_parameter_has_a_gradient() -> None:
    for layout in REFERENCES:
        network = lively_network(layout).requires_grad_(True)
        image, style = images_and_styles(2, (32, 32))
        (
            network(image, network.style_encoder(image) + style) * torch.rand(3, 32, 32)
        ).sum().backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
