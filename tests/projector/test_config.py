from __future__ import annotations

import pytest

from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.network import StyleGAN2Config
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.config import ProjectorConfig


def test_for_split_takes_the_sizes_of_the_value(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    config = ProjectorConfig.for_split(tiny_split, tiny)
    assert (config.resolution, config.value_channels, config.value_size) == (16, 8, 8)


@pytest.mark.parametrize(("layer", "levels"), [(1, 1), (2, 2), (4, 3), (6, 4)])
def test_for_split_has_no_level_below_four_pixels(layer: int, levels: int) -> None:
    architecture = StyleGAN2Config(32, 4, 4, channel_base=64, channel_max=4, mapping_layers=1)
    generator = StyleGAN2(architecture)
    config = ProjectorConfig.for_split(generator.split(layer, 1), generator)
    assert len(config.widths) == len(config.blocks) == levels
    assert config.value_size >> (levels - 1) == 4


def test_lists_are_accepted_as_json_has_them() -> None:
    config = ProjectorConfig(16, 8, 8, [4, 8], [1, 1])  # type: ignore[arg-type]
    assert config == ProjectorConfig(16, 8, 8, (4, 8), (1, 1))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 8, 8), "every size must be at least 1"),
        ((24, 8, 8), "size of the image over size of the value: got 24 / 8, expected a power"),
        ((8, 8, 16), "size of the image over size of the value: got 8 / 16"),
        (((16, 24), 8, 8), r"size of the image over size of the value: got \(16, 24\) / 8"),
        ((16, 8, 4), "as many of each, and a value whose sides can be halved between them"),
        (("16", 8, 8), "projector architecture: size: got '16', expected a side, or two"),
        ((16, 8, 8, (4, 4), (1,)), r"got \[4, 4\] and \[1\] for a value of 8"),
        ((16, 8, 8, (), ()), "every size must be at least 1"),
        ((16, 8, 8, (4,), (0,)), "every size must be at least 1"),
    ],
)
def test_impossible_architectures_are_refused(sizes: tuple, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ProjectorError, match=message):
        ProjectorConfig(*sizes)


def test_sizes_that_are_not_square() -> None:
    config = ProjectorConfig([16, 32], 8, (8, 16))  # type: ignore[arg-type]
    assert (config.image_size, config.value_shape, config.ratio) == ((16, 32), (8, 8, 16), 2)
    assert ProjectorConfig((16, 16), 8, (8, 8)) == ProjectorConfig(16, 8, 8)
