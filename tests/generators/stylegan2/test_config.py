from __future__ import annotations

import math
from typing import Any

import pytest

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config


@pytest.mark.parametrize(
    ("resolution", "convolutions"), [(8, 3), (16, 5), (64, 9), (128, 11), (256, 13), (1024, 17)]
)
def test_one_convolution_at_4x4_and_two_at_every_other_size(
    resolution: int, convolutions: int
) -> None:
    config = StyleGAN2Config(resolution=resolution)
    assert config.convolutions == convolutions
    assert config.resolution_of(convolutions) == resolution


def test_resolution_of_each_convolution() -> None:
    sizes = [StyleGAN2Config.resolution_of(layer) for layer in range(1, 10)]
    assert sizes == [4, 8, 8, 16, 16, 32, 32, 64, 64]


@pytest.mark.parametrize(
    ("base", "channels"),
    [
        (32768, [512, 512, 512, 512, 512, 256, 128, 64, 32]),  # configuration f
        (16384, [512, 512, 512, 512, 256, 128, 64, 32, 16]),  # configuration e
    ],
)
def test_channels_of_the_official_configurations(base: int, channels: list[int]) -> None:
    config = StyleGAN2Config(resolution=1024, channel_base=base)
    assert [config.channels(4 << i) for i in range(9)] == channels


def test_taps_become_a_tuple_so_that_equal_architectures_are_equal() -> None:
    assert StyleGAN2Config(resample_taps=[1, 3, 3, 1]) == StyleGAN2Config()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 96}, "resolution: got 96, expected a power of two"),
        ({"resolution": 4}, "resolution: got 4, expected an integer from 8"),
        ({"resolution": "128"}, "resolution: got '128', expected an integer from 8"),
        ({"resolution": 128.0}, "resolution: got 128.0, expected an integer from 8"),
        ({"z_dim": 0}, "z_dim: got 0, expected an integer from 1"),
        ({"w_dim": True}, "w_dim: got True, expected an integer from 1"),
        ({"label_dim": -1}, "label_dim: got -1, expected an integer from 0"),
        ({"mapping_layers": None}, "mapping_layers: got None, expected an integer from 1"),
        ({"channel_max": 0}, "channel_max: got 0, expected an integer from 1"),
        ({"channel_base": 64}, "channel_base: got 64, expected an integer from 128"),
        ({"mapping_lr_multiplier": 0}, "mapping_lr_multiplier: got 0, expected a number above 0"),
        ({"conv_clamp": math.nan}, "conv_clamp: got nan, expected a number above 0"),
        ({"conv_clamp": "256"}, "conv_clamp: got '256', expected a number above 0"),
        ({"resample_taps": "1331"}, "resample_taps: got '1331', expected a list of 1 to 32 num"),
        ({"resample_taps": [1, None]}, r"resample_taps: got \[1, None\], expected a list"),
        ({"resample_taps": [1, -1]}, r"resample_taps: got \[1, -1\], expected a sum other than 0"),
        ({"resample_taps": [1.0] * 40}, r"resample_taps: got \[.*\], expected a list of 1 to 32"),
        ({"resample_taps": [10**400]}, "resample_taps: got .*, expected a list of finite numbers"),
        ({"rgb_resample_taps": []}, r"rgb_resample_taps: got \[\], expected a list of 1 to 32"),
        ({"resolution": 8192}, "resolution: got 8192, expected an integer from 8 to 4096"),
        ({"resolution": 10**400}, "resolution: got 10000.*, expected an integer from 8 to 4096"),
        ({"mapping_layers": 10**6}, "mapping_layers: got 1000000, expected .* from 1 to 64"),
        ({"z_dim": 1 << 40}, "z_dim: got 1099511627776, expected an integer from 1 to 65536"),
        ({"label_dim": 1 << 40}, "label_dim: got 1099511627776, expected .* from 0 to 65536"),
        ({"channel_max": 1 << 40}, "channel_max: got 1099511627776, expected .* to 262144"),
        ({"channel_base": 1 << 40}, "channel_base: got 1099511627776, expected .* to 16777216"),
        ({"conv_clamp": 10**400}, "conv_clamp: got 10000.*, expected a number above 0"),
        ({"mapping_lr_multiplier": 10**400}, "multiplier: got 10000.*, expected a number above 0"),
        ({"resample_taps": []}, r"resample_taps: got \[\], expected a list of 1 to 32 num"),
    ],
)
def test_what_is_not_an_architecture(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        StyleGAN2Config(**changes)
